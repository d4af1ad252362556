import type { Client, handleBidiStreamingCall, MethodDefinition } from '@grpc/grpc-js';
import {
  DurableTaskErrorType,
  DurableTaskRequest,
  DurableTaskResponse,
  type DurableEventLogEntryRef,
} from '../../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import { nowhere, type DoubleState } from './double-state.ts';
import { tokenOnly } from './token-only.ts';

type Request = NonNullable<DurableTaskRequest['message']>;
type Response = NonNullable<DurableTaskResponse['message']>;

/** Messages that come together overtake each other by up to this. */
const spreadMs = 6;

/**
 * The durable stream of a cluster: each message is handled on its own, so that requests take effect, and answers come
 * back, in any order; only results of one task keep the order in which they were satisfied. A memo's value is taken
 * without a word: whoever wants to know asks by naming what it waits for. An operation that a cluster cannot carry out is
 * logged there, and never answered, unless the task's log does not fit.
 */
export function durableStream(
  method: MethodDefinition<Buffer, Buffer>,
  upstream: Client,
  state: DoubleState,
): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    const metadata = tokenOnly(call.metadata);
    // In the order in which they were satisfied, whatever the worker says that it waits for.
    metadata.set('hatchet-results-in-any-order', '1');
    const passed = upstream.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      metadata,
    );
    const timers = new Set<NodeJS.Timeout>();
    const later = (action: () => void, delayMs = Math.random() * spreadMs): void => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        action();
      }, delayMs);
      timers.add(timer);
    };
    const end = (): void => {
      for (const timer of timers) clearTimeout(timer);
      passed.cancel();
    };
    const memos = new SilentMemos();
    const ghosts = new Ghosts(state);
    const results = new InOrder(later);

    call.on('data', (bytes: Buffer) => {
      const { message } = DurableTaskRequest.decode(bytes);
      if (message === undefined) return;
      state.count(`durable ${message.$case}`);
      const send = (): void => {
        memos.passing(message);
        ghosts.passing(message);
        passed.write(Buffer.from(DurableTaskRequest.encode({ message: ghosts.renamed(message) }).finish()));
      };
      if (message.$case === 'registerWorker') send();
      else later(send);
    });
    passed.on('data', (bytes: Buffer) => {
      const { message } = DurableTaskResponse.decode(bytes);
      if (message === undefined || !isAnsweredThere(message) || memos.isConfirmation(message)) return;
      ghosts.answered(message);
      const write = (): void => void call.write(bytes);
      if (message.$case === 'registerWorker') write();
      else if (message.$case === 'entryCompleted') results.add(message.value.ref?.durableTaskExternalId ?? '', write);
      else later(write);
    });
    call.on('end', () => passed.end());
    call.on('cancelled', end);
    passed.on('error', (error) => void call.emit('error', error));
    passed.on('end', () => call.end());
  };
}

/** What is refused there for another reason than the log is logged, and that is all; so is a child whose idempotency key is held. */
function isAnsweredThere(message: Response): boolean {
  if (message.$case === 'entryCompleted')
    return !(message.value.isFailure && message.value.errorMessage?.includes('holds the idempotency key') === true);
  return (
    message.$case !== 'error' || message.value.errorType === DurableTaskErrorType.DURABLE_TASK_ERROR_TYPE_NONDETERMINISM
  );
}

/** Results of one task, one after the other. */
class InOrder {
  readonly #later: (action: () => void, delayMs?: number) => void;
  readonly #queues = new Map<string, (() => void)[]>();

  constructor(later: (action: () => void, delayMs?: number) => void) {
    this.#later = later;
  }

  add(taskId: string, write: () => void): void {
    const queue = this.#queues.get(taskId);
    if (queue !== undefined) return void queue.push(write);
    this.#queues.set(taskId, [write]);
    this.#later(() => this.#flush(taskId));
  }

  #flush(taskId: string): void {
    const queue = this.#queues.get(taskId) ?? [];
    this.#queues.delete(taskId);
    for (const write of queue) write();
  }
}

/** The engine confirms a memo's value at once; a cluster says it only to whoever names the node as waited for. */
class SilentMemos {
  readonly #completed = new Set<string>();

  passing(message: Request): void {
    if (message.$case === 'completeMemo') this.#completed.add(keyOf(message.value.ref));
    if (message.$case === 'workerStatus')
      for (const entry of message.value.waitingEntries) this.#completed.delete(keyOf(entry));
  }

  isConfirmation(message: Response): boolean {
    return message.$case === 'entryCompleted' && this.#completed.has(keyOf(message.value.ref));
  }
}

function keyOf(
  ref: Pick<DurableEventLogEntryRef, 'durableTaskExternalId' | 'branchId' | 'nodeId'> | undefined,
): string {
  return `${ref?.durableTaskExternalId ?? ''} ${String(ref?.branchId ?? 0n)} ${String(ref?.nodeId ?? 0n)}`;
}

/** Children of workflows that nobody knows: they get a node and a run id, and there is no such run. */
class Ghosts {
  readonly #state: DoubleState;
  /** By invocation: of each request whose answer has not come, which of its children are ghosts. The engine answers in order. */
  readonly #asked = new Map<string, boolean[][]>();

  constructor(state: DoubleState) {
    this.#state = state;
  }

  passing(message: Request): void {
    if (message.$case !== 'triggerRuns') return;
    const key = invocationOf(message.value);
    this.#asked.set(key, [
      ...(this.#asked.get(key) ?? []),
      message.value.triggerOpts.map(({ name }) => !this.#state.workflows.has(name)),
    ]);
  }

  renamed(message: Request): Request {
    if (message.$case !== 'triggerRuns') return message;
    const triggerOpts = message.value.triggerOpts.map((trigger) =>
      this.#state.workflows.has(trigger.name) ? trigger : { ...trigger, name: nowhere },
    );
    return { ...message, value: { ...message.value, triggerOpts } };
  }

  answered(message: Response): void {
    if (message.$case !== 'triggerRunsAck') return;
    const [ghosts, ...rest] = this.#asked.get(invocationOf(message.value)) ?? [];
    this.#asked.set(invocationOf(message.value), rest);
    for (const [index, { workflowRunExternalId }] of message.value.runEntries.entries())
      if (ghosts?.[index] === true) this.#state.ghosts.add(workflowRunExternalId);
  }
}

function invocationOf({
  durableTaskExternalId,
  invocationCount,
}: {
  durableTaskExternalId: string;
  invocationCount: number;
}): string {
  return `${durableTaskExternalId} ${invocationCount}`;
}
