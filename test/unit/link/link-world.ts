import { EventEmitter } from 'node:events';
import { Metadata, status } from '@grpc/grpc-js';
import { expect } from 'vitest';
import { Caller } from '../../../engine/edge/access/caller.ts';
import { createLog } from '../../../engine/base/log.ts';
import type { WorkerLink } from '../../../engine/dispatch/worker-session.ts';
import type { CommandOutcome, Program } from '../../../engine/grpc/session/carry-out.ts';
import type { ServedDurableStream } from '../../../engine/grpc/durable/open-durable-stream.ts';
import type { OpenDurableStream } from '../../../engine/grpc/session/durable-streams.ts';
import { OpenSessions } from '../../../engine/grpc/session/open-sessions.ts';
import type { SessionPorts } from '../../../engine/grpc/session/program-session.ts';
import { openStream } from '../../../engine/grpc/session/session-service.ts';
import { markChecked } from '../../../engine/model/checked.ts';
import type { TaskResult } from '../../../engine/monitor/runs/run-end-waiters.ts';
import { CommandKind, ConnectRequest, ConnectResponse } from '../../../proto/gen/hatchet/session/v1/session.ts';
import { EngineLink } from '../../../link/engine-link.ts';
import { emptyRequest } from '../../../link/link-command.ts';
import { tenantOf } from '../../helpers/tenant.ts';

const caller = new Caller({
  tenantId: tenantOf('11111111-1111-4111-8111-111111111111'),
  tokenId: markChecked('22222222-2222-4222-8222-222222222222'),
  role: 'worker',
  expiresAtMs: Infinity,
});

/** The program's end of a stream, as grpc-js gives it. */
class ClientStream extends EventEmitter {
  readonly #send: (request: ConnectRequest) => void;
  readonly #cancel: () => void;

  constructor(send: (request: ConnectRequest) => void, cancel: () => void) {
    super();
    this.#send = send;
    this.#cancel = cancel;
  }

  write(request: ConnectRequest): boolean {
    this.#send(ConnectRequest.decode(ConnectRequest.encode(request).finish()));
    return true;
  }

  cancel(): void {
    this.#cancel();
  }
}

/** Messages of one direction, in their order, each after a while; after a cut the rest is lost. */
class Wire<Message> {
  readonly #arrive: (message: Message) => void;
  readonly #delayMs: () => number;
  #lastMs = 0;
  #isCut = false;

  constructor(arrive: (message: Message) => void, delayMs: () => number) {
    this.#arrive = arrive;
    this.#delayMs = delayMs;
  }

  send(message: Message): void {
    this.#lastMs = Math.max(this.#lastMs, Date.now() + this.#delayMs());
    setTimeout(() => this.#isCut || this.#arrive(message), this.#lastMs - Date.now());
  }

  cut(): void {
    this.#isCut = true;
  }
}

/** A link of the SDK to sessions of the engine, over a network that delays and cuts, and what both ends have seen. */
export class LinkWorld {
  /** By run, how often the engine has made it. */
  readonly runs = new Map<string, number>();
  /** By `task/attempt kind`, how often a report was carried out. */
  readonly reports = new Map<string, number>();
  /** By task, its log lines as they are stored. */
  readonly lines = new Map<string, string[]>();
  /** By task, the numbers of its chunks as they have come. */
  readonly chunks = new Map<string, number[]>();
  /** By batch and what is said of it, how often it was carried out. */
  readonly batches = new Map<string, number>();
  /** Keys of memos that durable tasks have asked for, as they were carried out. */
  readonly operations: string[] = [];
  /** Frames of the engine's, as they have left it. */
  readonly told: ConnectResponse[] = [];
  readonly workers = new Map<string, WorkerLink>();
  readonly link: EngineLink;
  /** How long the engine takes over what it is asked. */
  commandMs: (frame: ConnectRequest) => number = () => 1;
  /** Whether the engine refuses a frame for the moment. */
  refuses: () => boolean = () => false;
  /** Whether a line is refused, and for what. */
  refusesLine: (message: string) => status | undefined = () => undefined;
  /** Each frame that the engine carries out. */
  sees: (frame: ConnectRequest) => void = () => undefined;
  /** The engine has noticed a cut. */
  onCut: () => void = () => undefined;
  streams = 0;
  readonly #waiting = new Map<string, Set<(results: readonly TaskResult[]) => void>>();
  readonly #ended = new Map<string, readonly TaskResult[]>();
  readonly #delayMs: () => number;
  #sessions = new OpenSessions();
  #cut: () => void = () => undefined;
  /** Whether the engine has sessions, and lets whom in. */
  answer: status = status.OK;

  constructor(delayMs: () => number) {
    this.#delayMs = delayMs;
    this.link = new EngineLink({
      connect: () => this.#connect(),
      welcomed: () => undefined,
      whyHopeless: async () => undefined,
    });
  }

  /** The network loses what is on its way. */
  cut(): void {
    this.#cut();
  }

  /** The engine is another process from now on, which has what was stored. */
  restart(): void {
    this.#sessions = new OpenSessions();
    this.workers.clear();
    this.#waiting.clear();
    this.cut();
  }

  endRun(runId: string): void {
    const results = [{ taskId: runId, stepName: 'only', output: '{}', error: null }];
    this.#ended.set(runId, results);
    for (const listener of this.#waiting.get(runId) ?? []) listener(results);
    this.#waiting.delete(runId);
  }

  /** One of the kind of assignments, told apart by the id of its task. */
  assign(workerId: string, taskId: string): boolean {
    const link = this.workers.get(workerId);
    link?.send({
      kind: 'start',
      tenantId: caller.tenantId,
      workflowId: '',
      versionId: '',
      runId: taskId,
      taskId,
      stepName: 'only',
      action: 'wf:only',
      attempt: 0,
      invocation: null,
      priority: 1,
      parts: { input: '{}', parents: '{}', triggers: '{}', errors: '{}' },
      metadata: '{}',
      child: null,
    });
    return link !== undefined;
  }

  #connect(): ClientStream {
    this.streams++;
    const sessions = this.#sessions;
    let isOver = false;
    const up = new Wire<ConnectRequest>((request) => stream.handle(request), this.#delayMs);
    const down = new Wire<ConnectResponse>(
      (response) => client.emit('data', ConnectResponse.decode(ConnectResponse.encode(response).finish())),
      this.#delayMs,
    );
    const end = (code: status | undefined): void => {
      if (isOver) return;
      isOver = true;
      up.cut();
      down.cut();
      stream.end();
      if (code !== undefined)
        setTimeout(() =>
          client.emit('error', Object.assign(new Error('cut'), { code, details: 'cut', metadata: new Metadata() })),
        );
    };
    const client = new ClientStream(
      (request) => up.send(request),
      () => end(undefined),
    );
    const stream = openStream(sessions, this.#ports(sessions), {
      caller,
      link: {
        write: (message) => {
          this.told.push(message);
          down.send(message);
        },
        isBehind: () => false,
        pause: () => undefined,
        resume: () => undefined,
        fail: () => end(status.UNAVAILABLE),
        isRelay: () => false,
        address: () => '',
      },
    });
    this.#cut = () => end(status.UNAVAILABLE);
    if (this.answer !== status.OK) setTimeout(() => end(this.answer));
    return client;
  }

  #ports(sessions: OpenSessions): SessionPorts {
    return {
      carryOut: (frame, program) => this.#carryOut(sessions, frame, program),
      cut: () => this.onCut(),
      workers: async () => (workerId, link) => {
        this.workers.get(workerId)?.close();
        this.workers.set(workerId, link);
        return () => void (this.workers.get(workerId) === link && this.workers.delete(workerId));
      },
      results: {
        wait: (_tenantId, runId, listener) => {
          const results = this.#ended.get(runId);
          if (results !== undefined) setTimeout(() => listener(results));
          else this.#waiting.set(runId, (this.#waiting.get(runId) ?? new Set()).add(listener));
          return () => void this.#waiting.get(runId)?.delete(listener);
        },
      },
      durable: () => (out) => this.#durable(sessions, out),
      log: createLog('silent'),
    };
  }

  /** Answers each memo after a while, in their order. */
  #durable(sessions: OpenSessions, { write }: Parameters<OpenDurableStream>[0]): ServedDurableStream {
    let before = Promise.resolve();
    return {
      handle: ({ message }, settled) => {
        if (message?.$case === 'registerWorker') write(message);
        if (message?.$case !== 'memo') return settled?.();
        const { key } = message.value;
        const ms = this.commandMs(emptyRequest());
        before = before
          .then(() => (ms === 0 ? undefined : new Promise<void>((resolve) => setTimeout(resolve, ms))))
          .then(() => {
            if (sessions === this.#sessions) {
              this.operations.push(key.toString());
              write({
                $case: 'memoAck',
                value: { ref: undefined, memoAlreadyExisted: true, memoResultPayload: key },
              });
            }
            settled?.();
          });
      },
      end: () => undefined,
    };
  }

  async #carryOut(sessions: OpenSessions, frame: ConnectRequest, program: Program): Promise<CommandOutcome> {
    const outcome: CommandOutcome = { refusals: [], otherRuns: [] };
    this.sees(frame);
    for (const { taskRunExternalId: task, eventIndex } of frame.chunks) append(this.chunks, task, Number(eventIndex));
    await new Promise((resolve) => setTimeout(resolve, this.commandMs(frame)));
    // A process that has ended stores nothing more.
    if (sessions !== this.#sessions) return outcome;
    const isRefused = this.refuses();
    for (const [index, { runId, again, await: isAwaited }] of frame.triggers.entries()) {
      if (isRefused) {
        outcome.refusals.push(refusal(CommandKind.COMMAND_KIND_TRIGGER, index, status.UNAVAILABLE));
        continue;
      }
      const known = this.runs.get(runId) ?? 0;
      if (known > 0) expect(again, `run ${runId} is made again, and nobody says so`).toBe(true);
      else this.runs.set(runId, 1);
      if (isAwaited) program.await(runId);
    }
    for (const [kind, list] of [['started', frame.started] as const, ['completed', frame.completed] as const])
      for (const { taskId, attempt } of list) {
        const key = `${taskId}/${attempt} ${kind}`;
        this.reports.set(key, (this.reports.get(key) ?? 0) + 1);
      }
    for (const { batchId, eventType } of frame.batches) {
      const key = `${batchId} ${eventType}`;
      this.batches.set(key, (this.batches.get(key) ?? 0) + 1);
    }
    for (const [index, { taskRunExternalId: task, message }] of frame.lines.entries()) {
      const code = isRefused ? status.UNAVAILABLE : this.refusesLine(message);
      if (code === undefined) append(this.lines, task, message);
      else outcome.refusals.push(refusal(CommandKind.COMMAND_KIND_LINE, index, code));
    }
    return outcome;
  }
}

function refusal(kind: CommandKind, index: number, code: status): CommandOutcome['refusals'][number] {
  return { kind, index, status: code, details: 'no', errorCode: '', statusDetails: Buffer.alloc(0) };
}

function append<Value>(lists: Map<string, Value[]>, key: string, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
