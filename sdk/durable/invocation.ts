import type { DurableEventListenerConditions } from '../../proto/gen/hatchet/contract/v1/condition.ts';
import { DurableTaskErrorType, type DurableEventLogEntryRef, type DurableTaskErrorResponse, type DurableTaskEventLogEntryCompletedResponse, type DurableTaskRequest, type DurableTaskResponse } from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import type { TriggerWorkflowRequest } from '../../proto/gen/hatchet/contract/v1/trigger.ts';
import { asError, HatchetError, NonDeterminismError } from '../errors.ts';
import { EntryFailure, type DurableChild } from '../run/durable-child.ts';
import { Turns } from './turns.ts';

export type DurableRequest = NonNullable<DurableTaskRequest['message']>;
export type DurableMessage = NonNullable<DurableTaskResponse['message']>;
type Answer = Extract<DurableMessage, { $case: 'waitForAck' | 'memoAck' | 'triggerRunsAck' }>;

/** What takes longer than this is a long sleep. */
const longSleepMs = 1_000;

/** The wire has no code for it but this text. */
const unknownWorkflow = /^there is no workflow /;

/** A node of the task's log. */
export interface Place {
  readonly branchId: bigint;
  readonly nodeId: bigint;
}

interface Asked {
  readonly request: DurableRequest;
  readonly resumes: boolean;
  sent: boolean;
  take: (answer: Answer) => void;
  fail: (error: Error) => void;
}

interface Waiter<Result = string> {
  settle: (result: Result) => void;
  fail: (error: Error) => void;
}

/** A node whose result has not come. */
interface OpenNode extends Place, Waiter {
  /** Of a memo whose value the engine may not have. */
  readonly completion: DurableRequest | undefined;
  /** Nothing but time can end it, and that took long when it was first asked for. */
  readonly isLongSleep: boolean;
}

export interface InvocationFacts {
  readonly taskRunExternalId: string;
  readonly invocationCount: number;
  /** It has something to send. */
  onAsked(invocation: Invocation): void;
  /** It waits for a node that it did not wait for before. */
  onWaiting(invocation: Invocation): void;
  /** It has computed a memo. */
  onComputed(completion: DurableRequest): void;
}

/**
 * One run of a durable task's code: what it asked the engine, what it waits for, and the turns in which it goes on.
 * It runs until its code ends, until it is cancelled (all that it waits for is rejected), or until it leaves its worker:
 * then nothing that it waits for ever settles, so that none of its `catch` and `finally` blocks runs by mistake, and
 * nothing here holds on to its code.
 */
export class Invocation {
  readonly taskRunExternalId: string;
  readonly invocationCount: number;
  readonly #facts: InvocationFacts;
  readonly #turns = new Turns();
  readonly #asked: Asked[] = [];
  readonly #open = new Map<bigint, OpenNode>();
  #longSleeps = 0;
  /** Memos whose functions run; what to reject where the invocation is cancelled meanwhile. */
  readonly #computing = new Map<bigint, Waiter>();
  /** Children with a key of their own: asking for one again gives the same node. */
  readonly #keyed = new Map<string, DurableChild>();
  /** What its timeout was extended by. */
  extendedMs = 0;
  #operations = 0;
  #busy = 0;
  #movedAt = performance.now();
  #state: 'runs' | 'left' | { cancelled: unknown } = 'runs';
  #mismatch: NonDeterminismError | undefined;
  #onAnswered: (() => void)[] = [];

  constructor(facts: InvocationFacts) {
    this.taskRunExternalId = facts.taskRunExternalId;
    this.invocationCount = facts.invocationCount;
    this.#facts = facts;
  }

  /** Since when the code has done nothing but wait for results; undefined while it does something else. */
  get waitingSince(): number | undefined {
    return this.#state === 'runs' && this.#busy === 0 && this.#open.size > 0 && this.#asked.length === 0 && this.#turns.idle ? this.#movedAt : undefined;
  }

  /** Whether it waits for nothing but long sleeps. */
  get isAsleep(): boolean {
    return this.#open.size > 0 && this.#longSleeps === this.#open.size;
  }

  /** How far its code has come: what it has asked for, counted. The same code comes as far again by asking for as much. */
  get operations(): number {
    return this.#operations;
  }

  /** What it asked for that its log does not fit. From then on it is asked for in vain: whatever its code does, it has failed. */
  get mismatch(): NonDeterminismError | undefined {
    return this.#mismatch;
  }

  /** Whether a request is on its way whose answer has not come. */
  get hasUnanswered(): boolean {
    return this.#asked.some(({ sent }) => sent);
  }

  /** Gives the payload of a wait: `{"CREATE": {key: [data]}}`. @param options soonestMs: before it the conditions cannot be met */
  async wait(waitForConditions: DurableEventListenerConditions, { label, soonestMs = 0 }: { label?: string | undefined; soonestMs?: number } = {}): Promise<string> {
    return await this.#ask<string>({ $case: 'waitFor', value: { ...this.#identity(), waitForConditions, label } }, false, (answer, waiter) => {
      if (answer.$case !== 'waitForAck') throw unexpected(answer);
      this.#await(placeOf(answer.value.ref), waiter, { isLongSleep: soonestMs >= longSleepMs });
    });
  }

  /** Spawns children, in the order given. */
  async spawn(triggerOpts: TriggerWorkflowRequest[]): Promise<DurableChild[]> {
    return await this.#ask<DurableChild[]>({ $case: 'triggerRuns', value: { ...this.#identity(), triggerOpts } }, true, (answer, { settle }) => {
      if (answer.$case !== 'triggerRunsAck' || answer.value.runEntries.length !== triggerOpts.length) throw unexpected(answer);
      const children = answer.value.runEntries.map((entry, index) => this.#child(entry, triggerOpts[index]?.childKey));
      this.#turns.answer(() => settle(children));
    });
  }

  /** A value that is computed once. @param compute gives JSON */
  async memo(key: Buffer, compute: () => Promise<string>): Promise<string> {
    return await this.#ask<string>({ $case: 'memo', value: { ...this.#identity(), key, payload: undefined } }, false, (answer, { settle, fail }) => {
      if (answer.$case !== 'memoAck') throw unexpected(answer);
      const { ref, memoAlreadyExisted, memoResultPayload } = answer.value;
      const place = placeOf(ref);
      // A result that is there is told of in its turn, without its value.
      if (memoAlreadyExisted && memoResultPayload !== undefined && memoResultPayload.length > 0) this.#await(place, { settle: () => settle(memoResultPayload.toString('utf8')), fail });
      else void this.#compute(place, { key, compute }, { settle, fail });
    });
  }

  /** A value that is recorded with the question, so that it needs no second message. Gives what the log holds. */
  async record(key: Buffer, json: string): Promise<string> {
    return await this.#ask<string>({ $case: 'memo', value: { ...this.#identity(), key, payload: Buffer.from(json) } }, false, (answer, { settle, fail }) => {
      if (answer.$case !== 'memoAck') throw unexpected(answer);
      const { ref, memoAlreadyExisted, memoResultPayload } = answer.value;
      const known = memoAlreadyExisted && memoResultPayload !== undefined && memoResultPayload.length > 0 ? memoResultPayload.toString('utf8') : undefined;
      this.#await(placeOf(ref), { settle: () => settle(known ?? json), fail }, { completion: known === undefined ? this.#completion(placeOf(ref), key, json) : undefined });
    });
  }

  /** Asks whether the log has, or can have, a memo here; what it says is told with the answer where it has none. */
  async probe(key: Buffer): Promise<boolean> {
    return await this.#ask<boolean>({ $case: 'memo', value: { ...this.#identity(), key, payload: Buffer.from('true') } }, true, (answer, { settle, fail }) => {
      if (answer.$case !== 'memoAck') throw unexpected(answer);
      const { ref, memoAlreadyExisted, memoResultPayload } = answer.value;
      if (memoAlreadyExisted && memoResultPayload?.toString('utf8') === 'false') return this.#turns.answer(() => settle(false));
      this.#turns.waive();
      return this.#await(placeOf(ref), { settle: () => settle(true), fail }, { completion: memoAlreadyExisted ? undefined : this.#completion(placeOf(ref), key, 'true') });
    });
  }

  /** While it runs, the invocation does not count as waiting. */
  async busy<Result>(action: () => Promise<Result>): Promise<Result> {
    this.#busy += 1;
    try {
      return await action();
    } finally {
      this.#busy -= 1;
      this.#movedAt = performance.now();
    }
  }

  /** Requests that were not sent yet, in their order; they count as sent now. */
  takeUnsent(): DurableRequest[] {
    const unsent = this.#asked.filter(({ sent }) => !sent);
    for (const asked of unsent) asked.sent = true;
    return unsent.map(({ request }) => request);
  }

  /** The nodes that it waits for. */
  waitsFor(): DurableEventLogEntryRef[] {
    return [...this.#open.values()].map((node) => this.#ref(node));
  }

  /** Completions of memos that the engine has not confirmed. Sending one twice changes nothing. */
  unconfirmed(): DurableRequest[] {
    return [...this.#open.values()].flatMap(({ completion }) => completion ?? []);
  }

  /** Resolves when every request was answered, or never will be. */
  async answered(): Promise<void> {
    if (this.#state === 'runs' && this.#asked.length > 0) await new Promise<void>((resolve) => this.#onAnswered.push(resolve));
  }

  take(answer: Answer): void {
    const asked = this.#asked.shift();
    if (asked === undefined) return; // of an invocation that has left
    this.#movedAt = performance.now();
    try {
      asked.take(answer);
    } catch (error) {
      this.#refuse(asked, asError(error));
    }
    this.#tellAnswered();
  }

  complete({ ref, payload, isFailure, errorMessage }: DurableTaskEventLogEntryCompletedResponse): void {
    const node = this.#open.get(ref?.nodeId ?? 0n);
    if (node === undefined || node.branchId !== ref?.branchId) return; // told before
    this.#close(node);
    this.#movedAt = performance.now();
    const text = payload.toString('utf8');
    this.#turns.result(() => (isFailure ? node.fail(new EntryFailure(errorMessage ?? 'the child failed')) : node.settle(text)));
  }

  /** What the engine refuses: the first request that is not answered, or a memo's result. */
  refuse({ ref, errorType, errorMessage }: DurableTaskErrorResponse): void {
    const nodeId = ref?.nodeId ?? 0n;
    if (errorType === DurableTaskErrorType.DURABLE_TASK_ERROR_TYPE_NONDETERMINISM) {
      this.#mismatch ??= new NonDeterminismError({ taskExternalId: this.taskRunExternalId, invocationCount: this.invocationCount, nodeId: Number(nodeId), message: errorMessage });
      // What it asked for after that too: a place that is right by chance would lead it further astray.
      for (const asked of this.#asked.splice(0)) this.#refuse(asked, this.#mismatch);
    } else {
      const error = new HatchetError(unknownWorkflow.test(errorMessage) ? 'UNKNOWN_WORKFLOW' : 'INVALID_ARGUMENT', `the engine refused an operation of the durable task: ${errorMessage}`);
      const memo = this.#open.get(nodeId);
      const asked = memo === undefined ? this.#asked.shift() : undefined;
      if (memo !== undefined) {
        this.#close(memo);
        this.#turns.result(() => memo.fail(error));
      }
      if (asked !== undefined) this.#refuse(asked, error);
    }
    this.#tellAnswered();
  }

  /** Everything that is not answered, or would be asked, fails: the engine has no durable tasks. */
  failUnanswered(error: Error): void {
    for (const asked of this.#asked.splice(0)) this.#refuse(asked, error);
    this.#tellAnswered();
  }

  /** Rejects all that it waits for. */
  cancel(reason: unknown): void {
    if (this.#state !== 'runs') return;
    this.#state = { cancelled: reason };
    const error = asError(reason);
    const waiting = [...this.#asked.splice(0), ...this.#computing.values(), ...this.#open.values()];
    this.#letGo();
    for (const { fail } of waiting) fail(error);
  }

  /** From now on nothing settles. */
  leave(): void {
    if (this.#state === 'runs') this.#state = 'left';
    this.#letGo();
  }

  #letGo(): void {
    this.#turns.stop();
    this.#asked.length = 0;
    this.#open.clear();
    this.#longSleeps = 0;
    this.#computing.clear();
    this.#keyed.clear();
    this.#tellAnswered();
  }

  async #ask<Result>(request: DurableRequest, resumes: boolean, take: (answer: Answer, waiter: Waiter<Result>) => void): Promise<Result> {
    if (this.#state === 'left') return await new Promise<Result>(() => {});
    if (this.#state !== 'runs') throw this.#state.cancelled;
    if (this.#mismatch !== undefined) throw this.#mismatch;
    this.#operations += 1;
    if (resumes) this.#turns.expectAnswer();
    const result = new Promise<Result>((settle, fail) => {
      this.#asked.push({ request, resumes, sent: false, take: (answer) => take(answer, { settle, fail }), fail });
    });
    this.#facts.onAsked(this);
    return await result;
  }

  #refuse(asked: Asked, error: Error): void {
    if (asked.resumes) this.#turns.answer(() => asked.fail(error));
    else this.#turns.result(() => asked.fail(error));
  }

  #await(place: Place, waiter: Waiter, { completion, isLongSleep = false }: { completion?: DurableRequest | undefined; isLongSleep?: boolean } = {}): void {
    this.#open.set(place.nodeId, { ...place, ...waiter, completion, isLongSleep });
    if (isLongSleep) this.#longSleeps += 1;
    this.#facts.onWaiting(this);
  }

  #close(node: OpenNode): void {
    this.#open.delete(node.nodeId);
    if (node.isLongSleep) this.#longSleeps -= 1;
  }

  /** The code goes on only when the engine has the value: else what follows could be in the log without it. */
  async #compute(place: Place, memo: { key: Buffer; compute: () => Promise<string> }, { settle, fail }: Waiter): Promise<void> {
    this.#computing.set(place.nodeId, { settle, fail });
    try {
      const json = await this.busy(memo.compute);
      if (!this.#computing.delete(place.nodeId)) return; // it has left, or was cancelled
      const completion = this.#completion(place, memo.key, json);
      this.#facts.onComputed(completion);
      this.#await(place, { settle: () => settle(json), fail }, { completion });
    } catch (error) {
      // Not recorded: the next invocation tries again.
      if (this.#computing.delete(place.nodeId)) this.#turns.result(() => fail(asError(error)));
    }
  }

  #completion(place: Place, memoKey: Buffer, json: string): DurableRequest {
    return { $case: 'completeMemo', value: { ref: this.#ref(place), payload: Buffer.from(json), memoKey } };
  }

  #child({ branchId, nodeId, workflowRunExternalId: runId }: Place & { workflowRunExternalId: string }, key: string | undefined): DurableChild {
    const known = key === undefined ? undefined : this.#keyed.get(runId);
    if (known !== undefined) return known;
    const output = new Promise<string>((settle, fail) => this.#await({ branchId, nodeId }, { settle, fail }));
    output.catch(() => {}); // its result may come before anybody waits for it
    const child = { runId, output };
    if (key !== undefined) this.#keyed.set(runId, child);
    return child;
  }

  #tellAnswered(): void {
    if (this.#asked.length === 0) for (const resolve of this.#onAnswered.splice(0)) resolve();
  }

  #identity(): { durableTaskExternalId: string; invocationCount: number } {
    return { durableTaskExternalId: this.taskRunExternalId, invocationCount: this.invocationCount };
  }

  #ref({ branchId, nodeId }: Place): DurableEventLogEntryRef {
    return { ...this.#identity(), branchId, nodeId };
  }
}

function placeOf(ref: DurableEventLogEntryRef | undefined): Place {
  return { branchId: ref?.branchId ?? 0n, nodeId: ref?.nodeId ?? 0n };
}

function unexpected({ $case }: Answer): HatchetError {
  return new HatchetError('ENGINE_ERROR', `the engine answered an operation of the durable task with ${$case}`, { remedy: 'Check that the versions of engine and SDK fit' });
}
