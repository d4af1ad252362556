import type { BatchFacts } from './assignment.ts';

interface Start {
  tenantId: string;
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
  /** JSON. */
  payload: string;
  /** JSON object. */
  metadata: string;
  /** Null where no task has spawned the run. */
  child: { parentTaskId: string; index: number | null; key: string | null } | null;
}

/** What goes down a worker's stream, before it is put into the contract's words. A batch's ids are those of its first member. */
export type WorkerMessage =
  | ({ kind: 'start' } & Start)
  | ({ kind: 'startBatch'; batch: BatchFacts; size: number } & Start)
  | {
      kind: 'cancel';
      tenantId: string;
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

/** Grace of a stream whose first heartbeat has not come: SDKs start them late. */
const firstBeatMs = 30_000;
/** Heartbeats come every 4 s; one that is 5 s late makes the worker unfit for new tasks. */
const lateMs = 9_000;

/** `away`: without a stream. `unfit`: with one, but not to be given tasks. */
export type Presence = 'away' | 'unfit' | 'fit';

/** One registered worker's connection: its stream, its heartbeats, and what it has still to be told. */
export class WorkerSession {
  readonly workerId: string;
  readonly tenantId: string;
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
  #attachedAtMs = 0;
  #beaten = false;

  constructor(options: { workerId: string; tenantId: string; nowMs: number }) {
    this.workerId = options.workerId;
    this.tenantId = options.tenantId;
    this.#seenAtMs = options.nowMs;
  }

  get seenAtMs(): number {
    return this.#seenAtMs;
  }

  beat(nowMs: number): void {
    this.#beaten = true;
    this.#seenAtMs = nowMs;
    this.lost = false;
  }

  attach(link: WorkerLink, nowMs: number): void {
    this.link = link;
    this.processEnd = undefined;
    this.#attachedAtMs = nowMs;
    this.#beaten = false;
    this.#seenAtMs = nowMs;
    this.lost = false;
  }

  /** What the planner is to know of it. */
  presence(nowMs: number): Presence {
    return this.link === undefined ? 'away' : this.isFit(nowMs) ? 'fit' : 'unfit';
  }

  /** Its process has ended, and so has its stream. */
  get hasDied(): boolean {
    return this.processEnd !== undefined && this.link === undefined;
  }

  isFit(nowMs: number): boolean {
    if (this.link === undefined || this.lost || this.ended) return false;
    return this.#beaten ? nowMs - this.#seenAtMs <= lateMs : nowMs - this.#attachedAtMs <= firstBeatMs;
  }

  isGone(nowMs: number, limitMs: number): boolean {
    const waitsForFirstBeat = this.link !== undefined && !this.#beaten;
    return nowMs - this.#seenAtMs > (waitsForFirstBeat ? Math.max(firstBeatMs, limitMs) : limitMs);
  }
}

export function attemptKey(taskId: string, attempt: number): string {
  return `${taskId}/${attempt}`;
}
