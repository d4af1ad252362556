import type { EntryKind } from '../model/durable/durable.ts';
import type { TerminalStatus } from '../model/task/status.ts';

/** What a worker's durable stream carries beside answers. */
export type DurableMessage =
  | {
      kind: 'result';
      stream: number;
      taskId: string;
      invocation: number;
      branch: number;
      node: number;
      entry: EntryKind;
      status: TerminalStatus;
      /** Null where it has to be read. */
      told: { output: string | null; error: string | null } | null;
    }
  | { kind: 'dismissed'; taskId: string; invocation: number; reason: string };

export interface DurableLink<Reply> {
  send(message: DurableMessage): void;
  answer(stream: number, request: number, reply: Reply): void;
  /** Tells the owner of this stream again: one that has just taken over knows of none. */
  announce(): void;
  /** Ends the stream: the worker belongs to another engine now. */
  leave(): void;
}

type SignalListener = (payload: string) => void;

/** Durable streams by worker, whose answers are the planner's. A message for a worker without one is dropped: its next status asks for it again. */
export class DurableLinks<Reply = unknown> {
  readonly #links = new Map<string, DurableLink<Reply>>();
  readonly #signals = new Map<string, Set<SignalListener>>();

  /** The newest stream of a worker is the one that counts. @returns to call when it ends */
  attach(workerId: string, link: DurableLink<Reply>): () => void {
    this.#links.set(workerId, link);
    return () => {
      if (this.#links.get(workerId) === link) this.#links.delete(workerId);
    };
  }

  /** @param isMeant whether a worker's shard was taken over */
  announceAll(isMeant: (workerId: string) => boolean = () => true): void {
    for (const [workerId, link] of this.#links) if (isMeant(workerId)) link.announce();
  }

  leave(workerIds: ReadonlySet<string>): void {
    for (const [workerId, link] of this.#links) if (workerIds.has(workerId)) link.leave();
  }

  send(workerId: string, message: DurableMessage): void {
    this.#links.get(workerId)?.send(message);
  }

  answer(workerId: string, stream: number, request: number, reply: Reply): void {
    this.#links.get(workerId)?.answer(stream, request, reply);
  }

  /** Waits for a signal of an older SDK's task. @returns stops waiting */
  onSignal(taskId: string, key: string, listener: SignalListener): () => void {
    const name = `${taskId} ${key}`;
    const listeners = this.#signals.get(name) ?? new Set();
    this.#signals.set(name, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#signals.get(name) === listeners) this.#signals.delete(name);
    };
  }

  signal(taskId: string, key: string, payload: string): void {
    for (const listener of this.#signals.get(`${taskId} ${key}`) ?? []) listener(payload);
  }
}
