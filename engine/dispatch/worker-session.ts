import type { ActionParts } from './action-payload.ts';
import type { BatchFacts } from './worker-message.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

interface Start {
  tenantId: TenantId;
  workflowId: string;
  versionId: string;
  runId: string;
  taskId: string;
  stepName: string;
  action: string;
  attempt: number;
  /** Of a durable task: which start this is. */
  invocation: number | null;
  priority: number;
  /** JSON object. */
  metadata: string;
  /** Null where no task has spawned the run. */
  child: { parentTaskId: string; index: number | null; key: string | null } | null;
}

/** What goes down a worker's stream, before it is put into the contract's words. A batch's ids are those of its first member. */
export type WorkerMessage =
  | ({ kind: 'start'; parts: ActionParts } & Start)
  | ({
      kind: 'startBatch';
      batch: BatchFacts;
      size: number;
      /** JSON, with what each member is told. */
      payload: string;
    } & Start)
  | {
      kind: 'cancel';
      tenantId: TenantId;
      runId: string;
      taskId: string;
      stepName: string;
      action: string;
      attempt: number;
      invocation: number | null;
    };

/** A worker's open stream. */
export interface WorkerLink {
  send(message: WorkerMessage): void;
  /** Ends the stream so that the client comes back later, not at once. */
  close(): void;
}

export type CancelNotice = Extract<WorkerMessage, { kind: 'cancel' }>;

/** `away`: without a stream. `unfit`: with one, but not to be given tasks. */
export type Presence = 'away' | 'unfit' | 'fit';

/** One registered worker's connection: its stream, its heartbeats, and what it has still to be told. */
export class WorkerSession {
  readonly workerId: string;
  readonly tenantId: TenantId;
  link: WorkerLink | undefined;
  /** What the planner was last told. */
  announced: Presence = 'away';
  /** The planner was told that the worker is gone, and it has not shown itself since. */
  lost = false;
  /** The planner is being told to forget it. */
  forgetting = false;
  ended = false;
  /** Attempts on their way to the stream, by key; a cancel takes them out. */
  readonly sending = new Set<string>();
  readonly untold = new Map<string, CancelNotice>();
  /** Attempts that may not have arrived, and when they go elsewhere without a sign of a start; soonest first. */
  readonly suspects: { untilMs: number; attempts: readonly { taskId: string; attempt: number }[] }[] = [];
  /** In which sweep of the watch it last said something of a task. */
  heardSweep = 0;
  /** Attempts that it did not answer when they were sent, by the key of the watch. */
  readonly unanswered = new Set<string>();
  /** How its process has ended, as whoever started that has said. Believed once its stream has ended. */
  processEnd: string | undefined;
  #seenAtMs: number;
  #beaten = false;

  constructor(options: { workerId: string; tenantId: TenantId; nowMs: number }) {
    this.workerId = options.workerId;
    this.tenantId = options.tenantId;
    this.#seenAtMs = options.nowMs;
  }

  /** When it last showed itself: by a heartbeat, or by opening its stream. */
  get seenAtMs(): number {
    return this.#seenAtMs;
  }

  /** Whether a heartbeat has come since its stream was opened. */
  get hasBeaten(): boolean {
    return this.#beaten;
  }

  beat(nowMs: number): void {
    this.#beaten = true;
    this.#seenAtMs = nowMs;
    this.lost = false;
  }

  attach(link: WorkerLink, nowMs: number): void {
    this.link = link;
    this.processEnd = undefined;
    this.#beaten = false;
    this.#seenAtMs = nowMs;
    this.lost = false;
  }

  /** Its process has ended, and so has its stream. */
  get hasDied(): boolean {
    return this.processEnd !== undefined && this.link === undefined;
  }
}

export function attemptKey(taskId: string, attempt: number): string {
  return `${taskId}/${attempt}`;
}
