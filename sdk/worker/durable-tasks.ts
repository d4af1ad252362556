import type { Connection } from '../connection/connection.ts';
import { pause } from '../../link/backoff.ts';
import { callUnary } from '../connection/repeat-calls.ts';
import type { ActionPayload } from '../context/action-payload.ts';
import type { ContextHost, LogLine, WorkerLabels } from '../context/context-host.ts';
import { DurableContext } from '../context/durable-context.ts';
import { durationToMs } from '../duration.ts';
import {
  chooseEvictions,
  shortestSleepMs,
  type EvictionCause,
  type WaitingInvocation,
} from '../durable/choose-evictions.ts';
import { DurableLink } from '../durable/durable-link.ts';
import { Invocation } from '../durable/invocation.ts';
import { timeLeft } from '../durable/time-left.ts';
import { HatchetError, TaskCancelledError } from '../errors.ts';
import { messageOf } from '../failure/describe-failure.ts';
import type { Logger } from '../logger.ts';
import type { AssignedAction } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import type { ForgottenCalls } from '../run/forgotten-calls.ts';
import { withParentRun, type ParentRun } from '../run/parent-run.ts';
import type { DurableAction } from './action.ts';
import type { Attempt } from './attempts.ts';

/** What an invocation gives that has left this worker before its code ended: nothing is to be reported. */
export const left = Symbol('left');

/** How often those that wait are looked over. */
const reviewIntervalMs = 100;

/** An engine that has not told of all results by itself has done so after this: it is asked once a second. */
const allToldMs = 1_200;

/** Tasks of which it is known how far they came: as many as leave for their timeout and come back to this worker soon. */
const longestMemory = 10_000;

const reasons: Record<EvictionCause, string> = {
  ttl: 'it waited for longer than its ttl',
  timeout: 'it would have reached its execution timeout while it waited',
  capacity: 'it waited while other tasks needed the slots of its worker',
  stop: 'its worker stopped while it waited',
};

interface Stay {
  readonly invocation: Invocation;
  readonly startedAt: number;
  readonly ttlMs: number | undefined;
  /** As this worker's code has it, until it is known that the run began with another. */
  executionTimeoutMs: number;
  readonly priority: number;
  readonly yields: boolean;
  /** Time that passed for it by a clock that was moved, and what of it in its present wait. */
  readonly passed: { ms: number; waitingSince: number | undefined; waitedMs: number };
  /** Ends its stay on this worker without an end of its code. */
  leave(): void;
  /** As `leave`, but its attempt has ended with an output that its code does not return. */
  end(output: unknown): void;
  /** As `leave`, but its attempt has failed. */
  fail(error: Error): void;
}

/** What a durable task's context is made of. */
interface CallFacts {
  input: unknown;
  action: AssignedAction;
  payload: ActionPayload;
  abort: Pick<Attempt, 'abortController' | 'cancel' | 'onCancelled'>;
  host: ContextHost;
}

/** The durable tasks of a worker: runs their code, and has those that wait leave in time. */
export class DurableTasks {
  readonly #connection: Connection;
  readonly #logger: Logger;
  readonly #link: DurableLink;
  readonly #stays = new Map<Invocation, Stay>();
  /** Operations that tasks had asked for when they last left for their timeout, or from an engine that may not have told of all results; by the tasks' ids. */
  readonly #reached = new Map<string, number>();
  #slots = 0;
  #stopping = false;
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;

  constructor(connection: Connection, logger: Logger) {
    this.#connection = connection;
    this.#logger = logger;
    this.#link = new DurableLink(connection, logger, (invocation, failure) => {
      const stay = this.#stays.get(invocation);
      if (failure === undefined) stay?.leave();
      else stay?.fail(failure);
    });
  }

  /** The worker was registered, or was registered again under another id. */
  serve(workerId: string, slots: number): void {
    this.#slots = slots;
    this.#link.serve(workerId);
  }

  /** Runs the code. @returns its output, or `left` where it left this worker before it had one */
  async run({ durable }: DurableAction, facts: CallFacts, parent: ParentRun): Promise<unknown> {
    const { action, abort } = facts;
    // Known by then, but for a task that comes before the worker's first durable stream is open.
    const offers = this.#link.offers ?? (await this.#link.offered(abort.abortController.signal));
    const invocation = new Invocation({
      taskRunExternalId: action.taskRunExternalId,
      invocationCount: action.durableTaskInvocationCount ?? 1,
      pipelined: offers.pipelinedRequests,
      canLeave: offers.evictions || action.retryCount === 0,
      onAsked: (asker) => this.#link.flush(asker),
      onWaiting: (waiter) => {
        this.#link.saySoon(waiter);
        if (waiter.isAsleep) this.#reviewSoon();
      },
      onComputed: (completion) => this.#link.complete(completion),
    });
    const { ttl, priority = 0, allowCapacityEviction = true } = durable.evictionPolicy;
    try {
      // Not a race of promises: what never settles would keep the code of those that left in memory.
      return await new Promise((resolve, reject) => {
        const stay: Stay = {
          invocation,
          startedAt: performance.now(),
          ttlMs: ttl === undefined ? undefined : durationToMs(ttl),
          executionTimeoutMs: durable.executionTimeoutMs,
          priority,
          yields: allowCapacityEviction,
          passed: { ms: 0, waitingSince: undefined, waitedMs: 0 },
          end: (output) => {
            this.#forget(invocation);
            invocation.leave();
            resolve(output);
          },
          fail: (error) => {
            this.#forget(invocation);
            invocation.leave();
            reject(error);
          },
          leave: () => {
            this.#forget(invocation);
            invocation.leave();
            resolve(left);
            abort.cancel(
              new TaskCancelledError('the durable task has left this worker, and goes on elsewhere from its log'),
            );
          },
        };
        this.#stays.set(invocation, stay);
        this.#link.add(invocation);
        this.#review();
        if (isOfAnother(action.workflowVersionId, durable.versionId))
          void this.#askLimit(stay, abort.abortController.signal);
        abort.onCancelled((reason) => invocation.cancel(reason));
        const run = async (): Promise<unknown> => {
          // Made inside of its task: it takes what it is asked for that task's own.
          const ctx = new DurableContext({
            ...facts,
            host: new BusyHost(facts.host, invocation),
            invocation,
            namespace: this.#connection.config.namespace,
            now: this.#connection.config.now,
            tracing: this.#connection.config.tracing,
            continueAsNew: async (input) => {
              await invocation.answered(); // the children that it began are not to be lost
              if (offers.continueAsNew) await this.#continueAsNew(stay, input, abort.abortController.signal);
              else stay.end(await runInstead(ctx, durable.standsFor, input));
              return await new Promise<never>(() => {});
            },
          });
          let output: unknown;
          try {
            output = await durable.body.run(facts.input, ctx);
          } catch (error) {
            if (invocation.failure === undefined || error === invocation.failure) throw error;
            void this.#logger.warn(
              `the durable task ${action.taskRunExternalId} cannot go on from its log, and its code ended with: ${messageOf(error)}`,
            );
          } finally {
            // What the code asked for last without waiting for it is in the log before the result is.
            if (!invocation.isAnswered) await invocation.answered();
          }
          // Code that has caught it has not made it good.
          if (invocation.failure !== undefined) throw invocation.failure;
          return output;
        };
        withParentRun(new DurableRun(parent, invocation), run).then(resolve, reject);
      });
    } finally {
      this.#forget(invocation);
      invocation.leave();
    }
  }

  /**
   * So much time is about to pass by a clock that is moved: those that would leave meanwhile leave. Resolves when the engine
   * knows, or the patience is over.
   */
  async pass(ms: number, patienceMs: number): Promise<void> {
    for (const { passed, invocation } of this.#stays.values()) {
      const { waitingSince } = invocation;
      passed.waitedMs = waitingSince !== undefined && waitingSince === passed.waitingSince ? passed.waitedMs + ms : ms;
      passed.waitingSince = waitingSince;
      passed.ms += ms;
    }
    this.#evictDue();
    await this.#departed(patienceMs);
  }

  /** All that wait leave, now and from now on. Resolves when the engine knows, or the time is over. */
  async leave(patienceMs: number): Promise<void> {
    this.#stopping = true;
    this.#evictDue();
    await this.#departed(patienceMs);
  }

  /** For a worker that can wait no longer: what still runs starts again from its log elsewhere, and nothing of it settles here. `leave` waits until the engine knows. */
  abandon(): void {
    for (const stay of this.#stays.values()) {
      this.#link.depart(stay.invocation, 'its worker stopped while it ran', true);
      stay.leave();
    }
  }

  async #departed(patienceMs: number): Promise<void> {
    const departed = new AbortController();
    await Promise.race([this.#link.departed(), pause(patienceMs, departed.signal)]);
    departed.abort();
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.#link.stop();
  }

  /** Until the engine has it, or the task is cancelled: an invocation that has continued has nothing else to say. */
  async #continueAsNew(stay: Stay, input: string, signal: AbortSignal): Promise<void> {
    const { invocation } = stay;
    const { monitor } = this.#connection;
    const request = { taskId: invocation.taskRunExternalId, invocation: invocation.invocationCount, input };
    await invocation.busy(
      async () =>
        await callUnary(this.#connection, monitor.continueAsNew.bind(monitor), request, {
          repeatForMs: Infinity,
          signal,
        }),
    );
    stay.leave();
  }

  async #askLimit(stay: Stay, signal: AbortSignal): Promise<void> {
    const leftMs = await timeLeft(this.#connection, stay.invocation.taskRunExternalId, signal);
    // What was added meanwhile is in the answer, and is added again to what stands here.
    if (leftMs !== undefined)
      stay.executionTimeoutMs =
        performance.now() - stay.startedAt + stay.passed.ms + leftMs - stay.invocation.extendedMs;
  }

  #forget(invocation: Invocation): void {
    this.#stays.delete(invocation);
    this.#link.remove(invocation);
    if (this.#stays.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #review(): void {
    this.#timer ??= setInterval(() => this.#evictSoon(), reviewIntervalMs).unref();
  }

  /** With every slot taken, those that have fallen asleep leave sooner than at the next review: thousands sleep on a handful of slots. */
  #reviewSoon(): void {
    if (this.#stays.size < this.#slots || this.#soon !== undefined) return;
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      this.#evictSoon();
    }, shortestSleepMs).unref();
  }

  /** After what came while the event loop was busy has been read: a result in it ends a wait. */
  #evictSoon(): void {
    setImmediate(() => this.#evictDue());
  }

  #evictDue(): void {
    const waiting: (Stay & WaitingInvocation)[] = [];
    for (const stay of this.#stays.values()) {
      const { waitingSince } = stay.invocation;
      if (waitingSince === undefined) continue;
      // Its code has caught the failure and waits for something that it had asked for before: whatever comes, it has failed.
      if (stay.invocation.failure !== undefined) {
        stay.fail(stay.invocation.failure);
        continue;
      }
      if (!stay.invocation.canLeave && !this.#stopping) {
        this.#extend(stay);
        continue;
      }
      if (!this.#stopping && this.#mayBeTold(stay, waitingSince)) continue;
      const { passed } = stay;
      const waitedMs = passed.waitingSince === waitingSince ? passed.waitedMs : 0;
      waiting.push({
        ...stay,
        isAsleep: stay.invocation.isAsleep,
        startedAt: stay.startedAt - passed.ms,
        waitingSince: waitingSince - waitedMs,
        executionTimeoutMs: stay.executionTimeoutMs + stay.invocation.extendedMs,
        replays: stay.invocation.operations <= this.#reachedBy(stay.invocation),
      });
    }
    const now = performance.now();
    for (const { who, cause } of chooseEvictions(waiting, {
      now,
      running: this.#stays.size,
      slots: this.#slots,
      stopping: this.#stopping,
    })) {
      if (cause !== 'stop' && !who.invocation.mayLeave()) continue;
      void this.#logger.debug(`the durable task ${who.invocation.taskRunExternalId} leaves: ${reasons[cause]}`);
      if (cause === 'timeout' || !who.invocation.pipelined) this.#remember(who.invocation);
      this.#link.depart(who.invocation, reasons[cause]);
      who.leave();
    }
    if (waiting.some((one) => one.isAsleep && one.yields && now - one.waitingSince < shortestSleepMs))
      this.#reviewSoon();
  }

  /** Whether a task that has come back and no further would be told that something of what it waits for is there: without it, it would come back at once, for ever. */
  #mayBeTold({ invocation, executionTimeoutMs }: Stay, waitingSince: number): boolean {
    return (
      !invocation.pipelined &&
      invocation.operations <= this.#reachedBy(invocation) &&
      performance.now() - waitingSince < Math.min(allToldMs, executionTimeoutMs / 4)
    );
  }

  /** One that cannot leave while it waits is not to be ended for having waited either. */
  #extend(stay: Stay): void {
    const { invocation, executionTimeoutMs } = stay;
    if (performance.now() - stay.startedAt + stay.passed.ms < (executionTimeoutMs + invocation.extendedMs) / 2) return;
    const incrementTimeoutBy = `${Math.ceil(executionTimeoutMs)}ms`;
    invocation.extendedMs += executionTimeoutMs; // once, though the engine is away: it ends no attempt then
    const { dispatcher } = this.#connection;
    callUnary(this.#connection, dispatcher.refreshTimeout.bind(dispatcher), {
      taskRunExternalId: invocation.taskRunExternalId,
      incrementTimeoutBy,
    }).catch((error: unknown) => {
      invocation.extendedMs -= executionTimeoutMs;
      void this.#logger.debug(
        `the timeout of the durable task ${invocation.taskRunExternalId} was not extended while it waits: ${String(error)}`,
      );
    });
  }

  #reachedBy({ taskRunExternalId }: Invocation): number {
    return this.#reached.get(taskRunExternalId) ?? 0;
  }

  #remember(invocation: Invocation): void {
    const reached = Math.max(invocation.operations, this.#reachedBy(invocation));
    this.#reached.delete(invocation.taskRunExternalId); // to the end, as the newest
    this.#reached.set(invocation.taskRunExternalId, reached);
    if (this.#reached.size > longestMemory)
      for (const oldest of this.#reached.keys()) {
        this.#reached.delete(oldest);
        break;
      }
  }
}

/** A Hatchet cluster cannot empty a task's log: a child begins with an empty one, and what it gives is what the task gives. */
async function runInstead(ctx: DurableContext, workflow: string | undefined, input: string): Promise<unknown> {
  if (workflow === undefined)
    throw new HatchetError(
      'NOT_SUPPORTED',
      'a Hatchet cluster can continue a durable task as new only where it is the only task of its workflow',
      { remedy: 'Make it a workflow of its own, and run that as a child.' },
    );
  const parsed: object = JSON.parse(input);
  return await ctx.runChild(workflow, parsed);
}

/** A run keeps to the version that it began with, its execution timeout too. */
function isOfAnother(version: string | undefined, registered: string): boolean {
  return version !== undefined && version !== '' && registered !== '' && version !== registered;
}

/** An invocation, as the runs that it starts see it. */
class DurableRun implements ParentRun {
  nextChildIndex: number;
  readonly durable: Invocation;
  readonly #attempt: ParentRun;

  constructor(attempt: ParentRun, durable: Invocation) {
    this.#attempt = attempt;
    this.durable = durable;
    this.nextChildIndex = attempt.nextChildIndex;
  }

  get workflowRunId(): string {
    return this.#attempt.workflowRunId;
  }

  get taskRunExternalId(): string {
    return this.#attempt.taskRunExternalId;
  }

  get workerId(): string | undefined {
    return this.#attempt.workerId;
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  get forgotten(): ForgottenCalls | undefined {
    return this.#attempt.forgotten;
  }
}

/** Calls to the engine that are no operations of the log are no waiting. */
class BusyHost implements ContextHost {
  readonly #host: ContextHost;
  readonly #invocation: Invocation;

  constructor(host: ContextHost, invocation: Invocation) {
    this.#host = host;
    this.#invocation = invocation;
  }

  get runner(): ContextHost['runner'] {
    return this.#host.runner;
  }

  get logger(): Logger {
    return this.#host.logger;
  }

  workerId(): string | undefined {
    return this.#host.workerId();
  }

  hasWorkflow(name: string): boolean {
    return this.#host.hasWorkflow(name);
  }

  labels(): WorkerLabels {
    return this.#host.labels();
  }

  upsertLabels(labels: WorkerLabels): Promise<WorkerLabels> {
    return this.#host.upsertLabels(labels);
  }

  log(line: LogLine): Promise<void> {
    return this.#host.log(line);
  }

  refreshTimeout(taskRunExternalId: string, increment: string): Promise<void> {
    return this.#invocation.busy(() => this.#host.refreshTimeout(taskRunExternalId, increment));
  }

  releaseSlot(taskRunExternalId: string): Promise<void> {
    return this.#invocation.busy(() => this.#host.releaseSlot(taskRunExternalId));
  }

  putStream(taskRunExternalId: string, chunk: { number: number; chunk: Uint8Array }): Promise<void> {
    return this.#invocation.busy(() => this.#host.putStream(taskRunExternalId, chunk));
  }
}
