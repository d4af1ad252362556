import type { DurableEventListenerConditions } from '../../proto/gen/hatchet/contract/v1/condition.ts';
import {
  DurableTaskErrorType,
  type DurableEventLogEntryRef,
  type DurableTaskErrorResponse,
  type DurableTaskEventLogEntryCompletedResponse,
} from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import type { TriggerWorkflowRequest } from '../../proto/gen/hatchet/contract/v1/trigger.ts';
import { asError, NonDeterminismError, type HatchetError } from '../errors.ts';
import { EntryFailure, type DurableChild } from '../run/durable-child.ts';
import { TaskPromise } from '../run/task-promise.ts';
import { EarlyResults } from './early-results.ts';
import {
  OpenNodes,
  placeOf,
  placesOf,
  type OpenNode,
  type Place,
  type SilentChild,
  type Waiter,
} from './open-nodes.ts';
import { refusedOperation, unansweredOperation, unexpectedAnswer } from './operation-errors.ts';
import { UnansweredRequests, type Answer, type DurableRequest, type Question } from './unanswered-requests.ts';
import { Turns, type Due } from './turns.ts';

/** What takes longer than this is a long sleep. */
const longSleepMs = 1_000;

/** Seconds in which a request is answered: a cluster gives up on one after 20, and says so in its own log alone. */
export const longestAnswerTicks = 60;

export interface InvocationFacts {
  readonly taskRunExternalId: string;
  readonly invocationCount: number;
  /** Whether the engine takes up requests in the order in which they come, and tells of results as its log has them ordered. */
  readonly pipelined: boolean;
  /** Whether the engine can let go of it while it waits. */
  readonly canLeave: boolean;
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
  readonly pipelined: boolean;
  readonly canLeave: boolean;
  readonly #facts: InvocationFacts;
  readonly #turns = new Turns();
  readonly #asked: UnansweredRequests;
  readonly #open = new OpenNodes();
  readonly #early = new EarlyResults();
  #hasResults = false;
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
  #failure: HatchetError | undefined;
  #onAnswered: (() => void)[] = [];

  constructor(facts: InvocationFacts) {
    this.taskRunExternalId = facts.taskRunExternalId;
    this.invocationCount = facts.invocationCount;
    this.pipelined = facts.pipelined;
    this.canLeave = facts.canLeave;
    this.#facts = facts;
    this.#asked = new UnansweredRequests(facts.pipelined);
  }

  /**
   * Since when the code has done nothing but wait for results; undefined while it does something else. That a memo is stored is no
   * result: it takes as long as the engine is busy, and one that left meanwhile would be as far again only after it has computed it anew.
   */
  get waitingSince(): number | undefined {
    return this.#state === 'runs' &&
      this.#busy === 0 &&
      this.#open.size > 0 &&
      !this.#open.hasUnconfirmed &&
      this.#asked.size === 0 &&
      this.#turns.idle
      ? this.#movedAt
      : undefined;
  }

  /** Whether it waits for nothing but long sleeps. */
  get isAsleep(): boolean {
    return this.#open.areLongSleeps;
  }

  /** How far its code has come: what it has asked for, counted. The same code comes as far again by asking for as much. */
  get operations(): number {
    return this.#operations;
  }

  /** Why its log cannot be gone on with. From then on it is asked for in vain: whatever its code does, it has failed. */
  get failure(): HatchetError | undefined {
    return this.#failure;
  }

  /** Whether all that it has asked was answered, or never will be. */
  get isAnswered(): boolean {
    return this.#state !== 'runs' || this.#asked.size === 0;
  }

  /** Whether a request is on its way whose answer has not come. */
  get hasUnanswered(): boolean {
    return this.#asked.hasSent;
  }

  /**
   * Whether it can go on after a break of the stream. Where the engine numbers the results that it tells on one stream, it holds
   * back those of a new one until all before them have been told there.
   */
  get outlivesStream(): boolean {
    return !this.hasUnanswered && (this.pipelined || !this.#hasResults);
  }

  /** Gives the payload of a wait: `{"CREATE": {key: [data]}}`. @param options soonestMs: before it the conditions cannot be met */
  wait(
    waitForConditions: DurableEventListenerConditions,
    { label, soonestMs = 0 }: { label?: string | undefined; soonestMs?: number } = {},
  ): Promise<string> {
    return this.#ask<string>(
      { $case: 'waitFor', value: { ...this.#identity(), waitForConditions, label } },
      { awaited: false },
      (answer, waiter) => {
        if (answer.$case !== 'waitForAck') throw unexpectedAnswer(answer);
        this.#await({ ...placeOf(answer.value.ref), ...waiter, isLongSleep: soonestMs >= longSleepMs });
      },
    );
  }

  /** Spawns children, in the order given. */
  async spawn(triggerOpts: TriggerWorkflowRequest[]): Promise<DurableChild[]> {
    // A Hatchet cluster answers in the order of the places, and one with a key may have an older place.
    const alone =
      !this.pipelined && triggerOpts.length > 1 && triggerOpts.some(({ childKey }) => childKey !== undefined);
    if (!alone) return await this.#spawn(triggerOpts);
    return (await Promise.all(triggerOpts.map((each) => this.#spawn([each])))).flat();
  }

  #spawn(triggerOpts: TriggerWorkflowRequest[]): Promise<DurableChild[]> {
    return this.#ask<DurableChild[]>(
      { $case: 'triggerRuns', value: { ...this.#identity(), triggerOpts } },
      { awaited: true },
      (answer, { settle, due }) => {
        if (answer.$case !== 'triggerRunsAck' || answer.value.runEntries.length !== triggerOpts.length)
          throw unexpectedAnswer(answer);
        const children = answer.value.runEntries.map((entry, index) => this.#child(entry, triggerOpts[index]));
        this.#takeTurn(due, () => settle(children));
      },
    );
  }

  /** A value that is computed once. @param compute gives JSON @param read of JSON, what the code gets */
  memo<Value>(key: Buffer, compute: () => string | Promise<string>, read: (json: string) => Value): Promise<Value> {
    return this.#ask<Value>(
      { $case: 'memo', value: { ...this.#identity(), key, payload: undefined } },
      { awaited: this.#memosAreAnswers },
      (answer, { settle, fail, due }) => {
        const give = (json: string): void => {
          try {
            settle(read(json));
          } catch (error) {
            fail(asError(error));
          }
        };
        const waiter: Waiter = { settle: give, fail, due };
        const { place, known } = this.#memoOf(answer);
        if (known === undefined) return this.#compute(place, { key, compute }, waiter);
        return this.#recorded(place, { ...waiter, settle: () => waiter.settle(known) });
      },
    );
  }

  /** A value that is recorded with the question, so that it needs no second message. Gives what the log holds. */
  record(key: Buffer, json: string): Promise<string> {
    return this.#ask<string>(
      { $case: 'memo', value: { ...this.#identity(), key, payload: Buffer.from(json) } },
      { awaited: this.#memosAreAnswers },
      (answer, waiter) => {
        const { place, known } = this.#memoOf(answer);
        this.#recorded(
          place,
          { ...waiter, settle: () => waiter.settle(known ?? json) },
          known === undefined ? this.#completion(place, key, json) : undefined,
        );
      },
    );
  }

  /** Asks whether the log has, or can have, a memo here; what it says is told with the answer where it has none. */
  probe(key: Buffer): Promise<boolean> {
    return this.#ask<boolean>(
      { $case: 'memo', value: { ...this.#identity(), key, payload: Buffer.from('true') } },
      { awaited: true, atMismatch: this.pipelined ? undefined : false },
      (answer, { settle, fail, due }) => {
        const { place, existed, known } = this.#memoOf(answer);
        if (existed && known === 'false') return this.#takeTurn(due, () => settle(false));
        if (this.#memosAreAnswers) return this.#recorded(place, { settle: () => settle(true), fail, due });
        if (due !== undefined) this.#turns.waive(due);
        return this.#recorded(
          place,
          { settle: () => settle(true), fail, due: undefined },
          existed ? undefined : this.#completion(place, key, 'true'),
        );
      },
    );
  }

  /** While it runs, the invocation does not count as waiting. */
  async busy<Result>(action: () => Promise<Result>): Promise<Result> {
    this.#busy += 1;
    try {
      return await action();
    } finally {
      this.#isFree();
    }
  }

  #isFree(): void {
    this.#busy -= 1;
    this.#movedAt = performance.now();
  }

  /** Requests that were not sent yet, in their order; they count as sent now. */
  takeUnsent(): DurableRequest[] {
    return this.#asked.takeUnsent();
  }

  /** The nodes that it waits for. */
  waitsFor(): DurableEventLogEntryRef[] {
    return [...this.#open].map((node) => this.#ref(node));
  }

  /** Completions of memos that the engine has not confirmed. Sending one twice changes nothing. */
  unconfirmed(): DurableRequest[] {
    return [...this.#open].flatMap(({ completion }) => completion ?? []);
  }

  /** Resolves when every request was answered, or never will be. */
  async answered(): Promise<void> {
    if (!this.isAnswered) await new Promise<void>((resolve) => this.#onAnswered.push(resolve));
  }

  take(answer: Answer): void {
    const asked = this.#asked.shift();
    if (asked === undefined) return; // of an invocation that has left
    this.#movedAt = performance.now();
    this.#early.placed(placesOf(answer));
    try {
      asked.take(answer);
    } catch (error) {
      this.#refuse(asked, asError(error));
    }
    this.#goOn();
  }

  complete(result: DurableTaskEventLogEntryCompletedResponse): void {
    if (this.pipelined || !this.#early.keep(result)) this.#complete(result);
  }

  #complete({ ref, payload, isFailure, errorMessage }: DurableTaskEventLogEntryCompletedResponse): void {
    const node = this.#open.close(placeOf(ref));
    if (node === undefined) return; // told before
    this.#movedAt = performance.now();
    if (node.completion === undefined) this.#hasResults = true;
    const text = payload.toString('utf8');
    this.#takeTurn(node.due, () =>
      isFailure ? node.fail(new EntryFailure(errorMessage ?? 'the child failed')) : node.settle(text),
    );
  }

  /** What the engine refuses: the first request that is not answered, or a memo's result. */
  refuse({ ref, errorType, errorMessage }: DurableTaskErrorResponse): void {
    const nodeId = ref?.nodeId ?? 0n;
    if (errorType === DurableTaskErrorType.DURABLE_TASK_ERROR_TYPE_NONDETERMINISM) {
      const mismatch = new NonDeterminismError({
        taskExternalId: this.taskRunExternalId,
        invocationCount: this.invocationCount,
        nodeId: Number(nodeId),
        message: errorMessage,
      });
      this.#mismatched(mismatch);
    } else {
      const error = refusedOperation(errorMessage);
      const memo = this.#open.find(nodeId);
      const asked = memo === undefined ? this.#asked.shift() : undefined;
      if (memo !== undefined) this.#fail(memo, error);
      if (asked !== undefined) this.#refuse(asked, error);
    }
    this.#goOn();
  }

  #mismatched(mismatch: NonDeterminismError): void {
    const asked = this.#asked.shift();
    if (asked?.mismatched !== undefined) return asked.mismatched();
    this.#failure ??= mismatch;
    // What it asked for after that too: a place that is right by chance would lead it further astray.
    for (const each of [...(asked === undefined ? [] : [asked]), ...this.#asked.clear()])
      this.#refuse(each, this.#failure);
  }

  /** Called once a second. */
  tick(): void {
    this.#early.tick(this.#asked.size === 0 && this.#busy === 0 && this.#turns.idle);
    this.#goOn();
    this.#tickAsked();
  }

  /** An engine that has not answered for so long may have taken the request up or not: nobody knows what the log holds. */
  #tickAsked(): void {
    if (this.#asked.tick() <= longestAnswerTicks) return;
    this.#failure ??= unansweredOperation(this.taskRunExternalId, this.#asked.oldest, longestAnswerTicks);
    this.failUnanswered(this.#failure);
  }

  /** As OpenNodes.silentChildren. */
  silentChildren(): SilentChild[] {
    return this.#open.silentChildren();
  }

  /** Whether it can leave now. A child that will never be wakes nobody: those of which it is not known are asked for first. */
  mayLeave(): boolean {
    return this.#open.areSure();
  }

  /** It was never started. */
  failChild(child: SilentChild, error: Error): void {
    const node = this.#open.find(child.nodeId);
    if (node?.child === child) this.#fail(node, error);
  }

  #fail(node: OpenNode, error: Error): void {
    this.#open.close(node);
    this.#takeTurn(node.due, () => node.fail(error));
  }

  /** Everything that is not answered, or would be asked, fails. */
  failUnanswered(error: Error): void {
    for (const asked of this.#asked.clear()) this.#refuse(asked, error);
    this.#goOn();
  }

  /** Rejects all that it waits for. */
  cancel(reason: unknown): void {
    if (this.#state !== 'runs') return;
    this.#state = { cancelled: reason };
    const error = asError(reason);
    const waiting = [...this.#asked.clear(), ...this.#computing.values(), ...this.#open];
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
    this.#asked.clear();
    this.#early.clear();
    this.#open.clear();
    this.#computing.clear();
    this.#keyed.clear();
    for (const resolve of this.#onAnswered.splice(0)) resolve();
  }

  /**
   * Memos are answers where the engine's log does not say between which results they came: the code then goes on behind all that
   * it asked for before, and before all results, live and in every replay.
   */
  get #memosAreAnswers(): boolean {
    return !this.pipelined;
  }

  /** @param how atMismatch: what it gives where the log holds something else at its place */
  #ask<Result>(
    request: DurableRequest,
    how: { awaited: boolean; atMismatch?: Result | undefined },
    take: (answer: Answer, waiter: Waiter<Result>) => void,
  ): Promise<Result> {
    return new TaskPromise<Result>((settle, fail) => {
      if (this.#state === 'left') return; // it never settles
      if (this.#state !== 'runs') return fail(this.#state.cancelled);
      if (this.#failure !== undefined) return fail(this.#failure);
      this.#operations += 1;
      const due = how.awaited ? this.#turns.expectAnswer() : undefined;
      const { atMismatch } = how;
      const mismatched = atMismatch === undefined ? undefined : () => this.#takeTurn(due, () => settle(atMismatch));
      this.#asked.add({ request, due, take: (answer) => take(answer, { settle, fail, due }), fail, mismatched });
      this.#facts.onAsked(this);
    });
  }

  #refuse({ due, fail }: Question, error: Error): void {
    this.#takeTurn(due, () => fail(error));
  }

  #takeTurn(due: Due | undefined, turn: () => void): void {
    if (due === undefined) this.#turns.result(turn);
    else this.#turns.answer(due, turn);
  }

  /** An answer has made room: for results that wait for it, and for the next request. */
  #goOn(): void {
    for (let result = this.#early.take(); result !== undefined; result = this.#early.take()) this.#complete(result);
    if (this.#asked.size === 0) for (const resolve of this.#onAnswered.splice(0)) resolve();
    else if (!this.pipelined) this.#facts.onAsked(this);
  }

  #memoOf(answer: Answer): { place: Place; existed: boolean; known: string | undefined } {
    if (answer.$case !== 'memoAck') throw unexpectedAnswer(answer);
    const { ref, memoAlreadyExisted: existed, memoResultPayload } = answer.value;
    return {
      place: placeOf(ref),
      existed,
      known:
        existed && memoResultPayload !== undefined && memoResultPayload.length > 0
          ? memoResultPayload.toString('utf8')
          : undefined,
    };
  }

  /** The log has the memo's value. Where its turn is a result's, that is told as one. */
  #recorded(place: Place, waiter: Waiter, completion?: DurableRequest): void {
    if (waiter.due === undefined) this.#await({ ...place, ...waiter, completion });
    else this.#takeTurn(waiter.due, () => waiter.settle(''));
  }

  #await(node: OpenNode): void {
    this.#open.add(node);
    this.#facts.onWaiting(this);
  }

  /** The code goes on only when the engine has the value: else what follows could be in the log without it. */
  #compute(
    place: Place,
    memo: { key: Buffer; compute: () => string | Promise<string> },
    { settle, fail, due }: Waiter,
  ): void {
    const { nodeId, branchId } = place;
    this.#computing.set(nodeId, { settle, fail, due });
    this.#busy += 1;
    const done = (json: string): void => {
      this.#isFree();
      if (!this.#computing.delete(nodeId)) return; // it has left, or was cancelled
      const completion = this.#completion(place, memo.key, json);
      this.#facts.onComputed(completion);
      this.#await({ branchId, nodeId, settle: () => settle(json), fail, due, completion });
    };
    const failed = (error: unknown): void => {
      this.#isFree();
      // Not recorded: the next invocation tries again.
      if (this.#computing.delete(nodeId)) this.#takeTurn(due, () => fail(asError(error)));
    };
    let json: string | Promise<string>;
    try {
      json = memo.compute();
    } catch (error) {
      return failed(error);
    }
    // No promise for a function that gives none.
    if (typeof json === 'string') done(json);
    else json.then(done, failed);
  }

  #completion(place: Place, memoKey: Buffer, json: string): DurableRequest {
    return { $case: 'completeMemo', value: { ref: this.#ref(place), payload: Buffer.from(json), memoKey } };
  }

  #child(
    { branchId, nodeId, workflowRunExternalId: runId }: Place & { workflowRunExternalId: string },
    request: TriggerWorkflowRequest | undefined,
  ): DurableChild {
    const key = request?.childKey;
    const known = key === undefined ? undefined : this.#keyed.get(runId);
    if (known !== undefined) return known;
    const output = new Promise<string>((settle, fail) =>
      this.#await({
        branchId,
        nodeId,
        settle,
        fail,
        due: undefined,
        child: { branchId, nodeId, runId, workflow: request?.name ?? '', ticks: 0, isThere: this.pipelined, misses: 0 },
      }),
    );
    output.catch(() => {}); // its result may come before anybody waits for it
    const child = { runId, output };
    if (key !== undefined) this.#keyed.set(runId, child);
    return child;
  }

  #identity(): { durableTaskExternalId: string; invocationCount: number } {
    return { durableTaskExternalId: this.taskRunExternalId, invocationCount: this.invocationCount };
  }

  #ref({ branchId, nodeId }: Place): DurableEventLogEntryRef {
    return {
      durableTaskExternalId: this.taskRunExternalId,
      invocationCount: this.invocationCount,
      branchId,
      nodeId,
    };
  }
}
