import { randomUUID } from 'node:crypto';
import { types } from 'node:util';
import type { AssignedAction } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { checkedDate } from '../checked-date.ts';
import { Or, soonestMs, waitConditions, type WaitCondition } from '../definition/conditions.ts';
import { keyOf, type AnyEvent, type EventDeclaration } from '../definition/event.ts';
import { durationToMs, type Duration } from '../duration.ts';
import { SeededRandom } from '../durable/seeded-random.ts';
import type { Invocation } from '../durable/invocation.ts';
import { memoKey, patchKey } from '../durable/memo-key.ts';
import { HatchetError } from '../errors.ts';
import { messageOf } from '../failure/describe-failure.ts';
import { textOf } from '../failure/safe-reads.ts';
import { jsonText } from '../json-text.ts';
import type { CarriableResult, JsonOf } from '../json-of.ts';
import type { LogLevel } from '../logger.ts';
import { beginsAsItsTask } from '../run/not-awaited-yet.ts';
import { currentParentRun, MemoRun, withParentRun } from '../run/parent-run.ts';
import type { WorkflowRunRef } from '../run/run-ref.ts';
import type { RunTarget } from '../run/run-target.ts';
import type { StandardSchema } from '../schema/standard-schema.ts';
import { validate } from '../schema/validate.ts';
import { isThenable } from '../thenable.ts';
import type { Tracing } from '../tracing.ts';
import type { ActionPayload } from './action-payload.ts';
import type { ContextHost } from './context-host.ts';
import type { ChildOutputs, CheckedChildRuns, SomeChildRun } from './child-run-types.ts';
import { Context, type ChildRun, type ChildRunOptions, type ThrowingChildRun } from './context.ts';
import type { LogDetails } from './log-line.ts';
import { matchesOf, type WaitResult } from './wait-result.ts';

export interface SleepResult {
  durationMs: number;
}

export interface SleepOptions {
  /** Under which `waitFor` has it. @default `sleep-<duration>` */
  readableDataKey?: string | undefined;
  /** Shown where the task waits. */
  label?: string | undefined;
}

export interface EventWaitOptions<Payload> {
  /** CEL over `input`, the event's payload. @default every event of the key */
  expression?: string | undefined;
  /** Checks the payload, and gives it its type. Any Standard Schema. */
  schema?: StandardSchema<unknown, Payload> | undefined;
  /** Only events of this scope. */
  scope?: string | undefined;
  /** With a scope: events that were pushed up to so long ago count too. @default those pushed from now on */
  lookback?: Duration | undefined;
  /** How long it waits, from when this was first asked for: after it, it gives `undefined`. @default for ever */
  timeout?: Duration | undefined;
  /** Shown where the task waits. */
  label?: string | undefined;
}

/** Of a log. A start reads so many in some 50 ms. */
const suggestedOperations = 5_000;

type Memoized<Value> = () => Value | Promise<Value>;

/**
 * What a durable task knows and can do. Its operations take places in the task's log; where the log has their results
 * already, they give these. So the code may be run again from its start at any time, and goes on where it was.
 */
export class DurableContext<Input = unknown, UserData = unknown> extends Context<Input, UserData> {
  /** Times that the code was started: it is run again after an eviction, a retry, or the end of its worker. */
  readonly invocationCount: number;
  readonly #invocation: Invocation;
  readonly #namespace: string;
  readonly #now: () => Date;
  readonly #tracing: Tracing | undefined;
  readonly #begin = beginsAsItsTask();
  readonly #continueAsNew: (input: string) => Promise<never>;
  readonly #patches = new Map<string, Promise<boolean>>();
  #draws: Promise<SeededRandom> | undefined;

  constructor(facts: {
    input: Input;
    action: AssignedAction;
    payload: ActionPayload;
    abort: { readonly abortController: AbortController };
    host: ContextHost;
    invocation: Invocation;
    namespace: string;
    now: () => Date;
    tracing: Tracing | undefined;
    continueAsNew: (input: string) => Promise<never>;
  }) {
    super(facts);
    this.invocationCount = facts.invocation.invocationCount;
    this.#invocation = facts.invocation;
    this.#namespace = facts.namespace;
    this.#now = facts.now;
    this.#tracing = facts.tracing;
    this.#continueAsNew = facts.continueAsNew;
  }

  /** Waits so long, from when this was first asked for: whatever happens meanwhile does not make it longer. */
  sleepFor(duration: Duration, options: SleepOptions | string = {}, label?: string): Promise<SleepResult> {
    return this.#begin(() =>
      this.#sleepFor(duration, typeof options === 'string' ? { readableDataKey: options, label } : options),
    );
  }

  /** Waits until then. */
  sleepUntil(wakeAt: Date, options: SleepOptions = {}): Promise<SleepResult> {
    return this.#begin(() => this.#sleepUntil(wakeAt, options));
  }

  /**
   * Waits for an event that is pushed from now on, and gives its payload; with a `timeout`, `undefined` if none came in time.
   * @throws SchemaError for a payload that the schema refuses
   */
  waitForEvent<Pushed, Received>(
    event: EventDeclaration<Pushed, Received>,
    options: Omit<EventWaitOptions<Received>, 'schema'> & { timeout: Duration },
  ): Promise<Received | undefined>;
  /** Of an event that `hatchet.event` made: with its type, checked by its schema. */
  waitForEvent<Pushed, Received>(
    event: EventDeclaration<Pushed, Received>,
    options?: Omit<EventWaitOptions<Received>, 'schema'> & { timeout?: undefined },
  ): Promise<Received>;
  /** Of a key. */
  waitForEvent<Payload = Record<string, unknown>>(
    key: string,
    options: EventWaitOptions<Payload> & { timeout: Duration },
  ): Promise<Payload | undefined>;
  /** Without a `timeout` it waits for ever. */
  waitForEvent<Payload = Record<string, unknown>>(
    key: string,
    options?: EventWaitOptions<Payload> & { timeout?: undefined },
  ): Promise<Payload>;
  /** The same as the official SDK writes it. */
  waitForEvent<Payload = Record<string, unknown>>(
    key: string,
    expression: string | undefined,
    payloadSchema?: StandardSchema<unknown, Payload>,
    scope?: string,
    lookbackWindow?: Duration,
    label?: string,
  ): Promise<Payload>;
  waitForEvent(
    event: string | AnyEvent,
    given?: EventWaitOptions<unknown> | string,
    ...[schema, scope, lookback, label]: [StandardSchema?, string?, Duration?, string?]
  ): Promise<unknown> {
    const own = typeof event === 'string' ? undefined : event.schema;
    return this.#begin(() =>
      this.#waitForEvent(
        keyOf(event),
        typeof given === 'object'
          ? { schema: own, ...given }
          : { expression: given, schema: schema ?? own, scope, lookback, label },
      ),
    );
  }

  /**
   * Waits for sleeps and events: for all of a list, for one of those in `Or`.
   * @returns what was met, by readable data keys: `{ CREATE: { key: [data] } }`
   */
  waitFor(conditions: WaitCondition | readonly WaitCondition[], label?: string): Promise<WaitResult> {
    return this.#begin(() => this.#waitFor(conditions, label));
  }

  /** Runs children, of one workflow or several, and waits for all outputs, in their order. @throws as a workflow's run */
  runChildren<const Children extends readonly SomeChildRun[]>(
    children: Children & CheckedChildRuns<Children>,
  ): Promise<ChildOutputs<Children>>;
  /** With types for children that are given by name: a workflow of one task gives that task's own output, others `{task: output}`. */
  runChildren<ChildInput, Output>(children: readonly ThrowingChildRun<ChildInput, Output>[]): Promise<Output[]>;
  runChildren<ChildInput, Output>(children: readonly ChildRun<ChildInput, Output>[]): Promise<(Output | Error)[]>;
  runChildren<ChildInput, Output>(children: readonly ChildRun<ChildInput, Output>[]): Promise<(Output | Error)[]> {
    return this.bulkRunChildren(children);
  }

  /** Starts a child; wait for its output, or not, with the reference's `output`. By name as `runChildren`. */
  spawn<ChildInput, Output>(
    workflow: RunTarget<ChildInput, Output> | string,
    input: NoInfer<ChildInput>,
    options?: ChildRunOptions,
  ): Promise<WorkflowRunRef<Output>> {
    return this.runNoWaitChild(workflow, input, options);
  }

  /** Same as `runChild`. */
  spawnChild<ChildInput, Output>(
    workflow: RunTarget<ChildInput, Output> | string,
    input: NoInfer<ChildInput>,
    options?: ChildRunOptions,
  ): Promise<Output> {
    return this.runChild(workflow, input, options);
  }

  /** Same as `runChildren`. */
  spawnChildren<ChildInput, Output>(children: readonly ThrowingChildRun<ChildInput, Output>[]): Promise<Output[]>;
  spawnChildren<ChildInput, Output>(children: readonly ChildRun<ChildInput, Output>[]): Promise<(Output | Error)[]>;
  spawnChildren<ChildInput, Output>(children: readonly ChildRun<ChildInput, Output>[]): Promise<(Output | Error)[]> {
    return this.bulkRunChildren(children);
  }

  /**
   * Runs the function once, and records what it gives; whenever the task is run again, that is what this gives. The value
   * is what JSON makes of it, the first time too. A function that throws is not recorded: the next run tries it again.
   * @param deps what the function depends on: they tell this memo from others at the same place
   */
  memo<Value>(deps: readonly unknown[], fn: Memoized<Value> & CarriableResult<Value>): Promise<JsonOf<Value>>;
  memo<Value>(fn: Memoized<Value> & CarriableResult<Value>, deps: readonly unknown[]): Promise<JsonOf<Value>>;
  memo<Value>(one: readonly unknown[] | Memoized<Value>, other: readonly unknown[] | Memoized<Value>): Promise<Value> {
    return this.#begin(() => this.#memo(one, other));
  }

  /** The time, as it was when this was first asked for. */
  now(): Promise<Date> {
    return this.#begin(() => this.#recordedNow());
  }

  /** A UUID that is the same each time the task is run again. */
  uuid(): Promise<string> {
    return this.#begin(() => this.#drawn('uuid').then((draws) => draws.uuid()));
  }

  /** A number from 0, below 1, that is the same each time the task is run again. */
  random(): Promise<number> {
    return this.#begin(() => this.#drawn('random').then((draws) => draws.number()));
  }

  /**
   * Whether this run reached this place with the code that asks: false for a run whose log had gone further when the code
   * was changed. Keep the old way in the `else` until no such run is left. The answer for an id stays the same.
   */
  patched(id: string): Promise<boolean> {
    return this.#begin(() => this.#patched(id));
  }

  /**
   * Starts the task again with another input and an empty log, in the same run: whoever waits for the run waits on, and gets
   * what the last start returns. For code that goes on for weeks: each operation makes the log longer, which is read again with
   * each start, and ends at the tenant's limit of 20,000 operations. Nothing after it runs; children that were begun go on, and nobody
   * hears of their ends.
   *
   * On a Hatchet cluster, whose logs cannot begin anew, the workflow runs as a child instead, for whose end this run waits.
   * @param input takes the place of the run's input, and is checked by its schema as that was
   * @throws HatchetError INVALID_INPUT for what is no JSON, PAYLOAD_TOO_LARGE, NOT_SUPPORTED on a cluster for one of several tasks
   */
  continueAsNew(input: Input): Promise<never> {
    return this.#begin(async () => {
      this.#checkPlace('continueAsNew');
      return await this.#continueAsNew(inputJson(input));
    });
  }

  /** Whether the log has 5,000 operations since it began: the time to continue as new. The same whenever the code is run again. */
  get continueAsNewSuggested(): boolean {
    return this.#invocation.operations >= suggestedOperations;
  }

  /** Goes on at once: when the engine has a line is in no log, and must not decide what comes next. */
  override async log(
    message: string,
    level: Exclude<LogLevel, 'OFF'> = 'INFO',
    details: LogDetails = {},
  ): Promise<void> {
    void super.log(message, level, details);
  }

  override refreshTimeout(incrementBy: Duration): Promise<void> {
    return this.#begin(async () => {
      await super.refreshTimeout(incrementBy);
      this.#invocation.extendedMs += durationToMs(incrementBy);
    });
  }

  async #sleepFor(duration: Duration, { readableDataKey, label }: SleepOptions): Promise<SleepResult> {
    await this.#waitFor({ sleepFor: duration, readableDataKey }, label);
    return { durationMs: durationToMs(duration) };
  }

  async #sleepUntil(wakeAt: Date, options: SleepOptions): Promise<SleepResult> {
    // What a memo gave is no Date any more, whatever its type says.
    if (!types.isDate(wakeAt))
      throw new HatchetError('INVALID_ARGUMENT', `sleepUntil takes a Date, and was given ${textOf(wakeAt)}`, {
        remedy: 'Write new Date(…) around what comes from JSON: an input, an event, a memo',
      });
    const wakeMs = checkedDate(wakeAt, 'the time of sleepUntil').getTime();
    const ms = wakeMs - (await this.#recordedNow()).getTime();
    // One that is past takes its place too: how late the code came must not decide what the log looks like.
    return await this.#sleepFor(Math.max(0, ms), options);
  }

  async #waitFor(conditions: WaitCondition | readonly WaitCondition[], label: string | undefined): Promise<WaitResult> {
    this.#checkPlace('wait');
    const wait = (): Promise<string> =>
      this.#invocation.wait(waitConditions(conditions, this.#namespace), { label, soonestMs: soonestMs(conditions) });
    const span = { name: 'hatchet.durable.wait_for', facts: { step_run_id: this.taskRunExternalId(), label } };
    const result: WaitResult = JSON.parse(await (this.#tracing?.wait(span, wait) ?? wait()));
    return result;
  }

  async #waitForEvent<Payload>(key: string, options: EventWaitOptions<Payload>): Promise<Payload | undefined> {
    const { expression, schema, scope, lookback, timeout, label } = options;
    const considerEventsSince =
      lookback === undefined ? undefined : new Date((await this.#recordedNow()).getTime() - durationToMs(lookback));
    const event = { eventKey: key, expression, scope, considerEventsSince };
    let payload: unknown;
    if (timeout === undefined) [payload] = matchesOf(await this.#waitFor(event, label));
    else {
      const { CREATE: met } = await this.#waitFor(
        Or({ ...event, readableDataKey: 'event' }, { sleepFor: timeout, readableDataKey: 'timeout' }),
        label,
      );
      if (met['event'] === undefined) return undefined;
      [payload] = met['event'];
    }
    if (schema !== undefined)
      return await validate(schema, payload, 'INVALID_INPUT', `the payload of the event ${key}`);
    const untyped: Payload = JSON.parse(JSON.stringify(payload ?? {}));
    return untyped;
  }

  #memo<Value>(one: readonly unknown[] | Memoized<Value>, other: readonly unknown[] | Memoized<Value>): Promise<Value> {
    this.#checkPlace('memo');
    const fn = typeof one === 'function' ? one : other;
    const deps = typeof one === 'function' ? other : one;
    if (typeof fn !== 'function' || !Array.isArray(deps))
      throw new HatchetError('INVALID_ARGUMENT', 'memo takes a list of dependencies and a function', {
        remedy: "Write ctx.memo(['what it is'], () => …)",
      });
    const parent = currentParentRun();
    const run = (): string | Promise<string> => {
      const value = fn();
      return isThenable(value) ? Promise.resolve(value).then(toJson) : toJson(value);
    };
    return this.#invocation.memo(
      memoKey(this.taskRunExternalId(), deps),
      parent === undefined ? run : () => withParentRun(new MemoRun(parent), run),
      // The log vouches for no type: it has what the code recorded.
      (json): Value => JSON.parse(json),
    );
  }

  async #recordedNow(): Promise<Date> {
    this.#checkPlace('now');
    const { ts }: { ts: string } = JSON.parse(await this.#record(['now'], { ts: this.#now().toISOString() }));
    return new Date(ts);
  }

  async #patched(id: string): Promise<boolean> {
    this.#checkPlace('patched');
    const known = this.#patches.get(id);
    if (known !== undefined) return await known;
    const asked = this.#invocation.probe(patchKey(id));
    this.#patches.set(id, asked);
    return await asked;
  }

  /** One seed for all: it takes one place in the log, however many are drawn. */
  async #drawn(operation: string): Promise<SeededRandom> {
    this.#checkPlace(operation);
    this.#draws ??= this.#record(['seed'], { seed: randomUUID() }).then((json) => {
      const { seed }: { seed: string } = JSON.parse(json);
      return new SeededRandom(seed);
    });
    return await this.#draws;
  }

  async #record(deps: readonly unknown[], value: object): Promise<string> {
    return await this.#invocation.record(memoKey(this.taskRunExternalId(), deps), JSON.stringify(value));
  }

  #checkPlace(operation: string): void {
    if (currentParentRun()?.inMemo === true)
      throw new HatchetError(
        'NOT_SUPPORTED',
        `${operation} cannot be used inside a memo: when the task is replayed, the memo's function does not run again`,
        { remedy: 'Move it out of the memo' },
      );
  }
}

/** @throws HatchetError INVALID_INPUT */
function inputJson(input: unknown): string {
  try {
    const json = jsonText(input ?? {});
    if (json !== undefined) return json;
  } catch (error) {
    throw new HatchetError(
      'INVALID_INPUT',
      `the input to continue with cannot be written as JSON: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
  throw new HatchetError('INVALID_INPUT', `the input to continue with is no JSON: it is a ${typeof input}`);
}

/** Nothing is null to JSON. @throws HatchetError INVALID_OUTPUT */
function toJson(value: unknown): string {
  let json: string | undefined;
  try {
    json = jsonText(value ?? null);
  } catch (error) {
    throw new HatchetError('INVALID_OUTPUT', `the value of a memo cannot be written as JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (json === undefined)
    throw new HatchetError('INVALID_OUTPUT', `the value of a memo cannot be written as JSON: it is a ${typeof value}`);
  return json;
}
