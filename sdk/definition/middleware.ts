import type { Context } from '../context/context.ts';
import { HatchetError } from '../errors.ts';
import { isList, safely, textOf } from '../failure/safe-reads.ts';

/** Declared as a method, so that a hook may ask for a narrower input than any object. */
interface Hooks {
  before(input: object, ctx: Context): unknown;
  after(output: object, ctx: Context, input: object): unknown;
}

/**
 * Runs before a task's function, and gives what is added to the input: an object, or a promise of one; with `undefined` the input stays
 * as it is. What it throws fails the attempt.
 */
export type BeforeHook = Hooks['before'];

/** Runs after a task's function has given its output, and gives what is added to that, as a `BeforeHook` does for the input. */
export type AfterHook = Hooks['after'];

/** What goes around the functions of tasks. Hooks of a list run in its order, each with what the one before it made. */
export interface TaskMiddleware {
  before?: BeforeHook | readonly BeforeHook[] | undefined;
  after?: AfterHook | readonly AfterHook[] | undefined;
  /**
   * Whether it goes around durable tasks too. Their code is run again from its start, and the hooks with it: they must give the
   * same each time, and what they ask the context for has its places in the task's log. @default false
   */
  durable?: boolean | undefined;
}

/** What middleware adds to inputs and outputs, of plain and of durable tasks. */
export interface Added {
  before: object;
  after: object;
  durableBefore: object;
  durableAfter: object;
}

export interface NothingAdded extends Added {}

/** A type with what was added to it. */
export type Extended<Value, Extra> = [keyof Extra] extends [never] ? Value : Value & Extra;

/** An output with what was added to it, which may replace properties. */
export type ExtendedOutput<Value, Extra> = [keyof Extra] extends [never]
  ? Value
  : Value extends object
    ? Flat<Omit<Value, keyof Extra> & Extra>
    : Extra;

type Flat<Value> = { [Key in keyof Value]: Value[Key] };

/** What callers pass where middleware adds the rest. */
export type Without<Value, Extra> = [keyof Extra] extends [never] ? Value : Omit<Value, keyof Extra>;

/** What may be given, and may not, is optional. */
type Given<Hook> = Hook extends (...args: never[]) => infer Result ? GivenResult<Awaited<Result>> : object;
type Nothing = void | undefined | null;
type GivenResult<Result> = [Exclude<Result, Nothing>] extends [never]
  ? object
  : [Extract<Result, Nothing>] extends [never]
    ? Result
    : Partial<Exclude<Result, Nothing>>;

type GivenBy<Hook> = Hook extends readonly [infer First, ...infer Rest]
  ? Given<First> & GivenBy<Rest>
  : Hook extends readonly unknown[]
    ? object
    : Given<Hook>;

type AddedBefore<M> = M extends { before: infer Hook } ? GivenBy<Hook> : object;
type AddedAfter<M> = M extends { after: infer Hook } ? GivenBy<Hook> : object;

/** What is added once this middleware is. */
export interface AddedBy<Before extends Added, M> {
  before: Extended<AddedBefore<M>, Before['before']>;
  after: Extended<AddedAfter<M>, Before['after']>;
  durableBefore: M extends { durable: true }
    ? Extended<AddedBefore<M>, Before['durableBefore']>
    : Before['durableBefore'];
  durableAfter: M extends { durable: true } ? Extended<AddedAfter<M>, Before['durableAfter']> : Before['durableAfter'];
}

/** One of several, in their order. */
export interface Layer {
  readonly before: readonly BeforeHook[];
  readonly after: readonly AfterHook[];
  readonly durable: boolean;
}

/** @throws HatchetError INVALID_DEFINITION for what is no function */
export function toLayer({ before, after, durable = false }: TaskMiddleware): Layer {
  return { before: listOf(before, 'before'), after: listOf(after, 'after'), durable };
}

function listOf<Hook extends BeforeHook | AfterHook>(
  given: Hook | readonly Hook[] | undefined,
  name: string,
): readonly Hook[] {
  const hooks: readonly Hook[] = given === undefined ? [] : isHooks(given) ? [...given] : [given];
  for (const hook of hooks)
    if (typeof hook !== 'function')
      throw new HatchetError('INVALID_DEFINITION', `the hook ${name} of the middleware is ${textOf(hook)}`, {
        remedy: 'Give a function, or a list of functions',
      });
  return hooks;
}

function isHooks<Hook>(given: Hook | readonly Hook[]): given is readonly Hook[] {
  return isList(given);
}

/** What the function gets of the input. */
export async function extendInput(layers: readonly Layer[], input: unknown, ctx: Context): Promise<unknown> {
  let extended = input;
  for (const before of layers.flatMap((layer) => layer.before))
    extended = merge(extended, await before(objectOf(extended), ctx));
  return extended;
}

/** What becomes of the output. Hooks run in the order in which they were added, here too, as they do in the official SDK. */
export async function extendOutput(
  layers: readonly Layer[],
  output: unknown,
  { ctx, input }: { ctx: Context; input: unknown },
): Promise<unknown> {
  let extended = output;
  for (const after of layers.flatMap((layer) => layer.after))
    extended = merge(extended, await after(objectOf(extended), ctx, objectOf(input)));
  return extended;
}

interface TaskFunction<Ctx extends Context> {
  run(input: unknown, ctx: Ctx): unknown;
}

/** A task's function with middleware around it. The hooks' types vouch for what they add, as callers' types vouch for the input. */
export function around<Ctx extends Context>(
  layers: readonly Layer[],
  body: TaskFunction<Ctx>,
  setInput: (ctx: Ctx, input: unknown) => void,
): TaskFunction<Ctx> {
  if (layers.length === 0) return body;
  return {
    run: async (given, ctx) => {
      const input = await extendInput(layers, given, ctx);
      setInput(ctx, input);
      return await extendOutput(layers, await body.run(input, ctx), { ctx, input });
    },
  };
}

function objectOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

/** Objects are merged; anything else takes the place of what was there. */
function merge(value: unknown, extra: unknown): unknown {
  if (extra === undefined || extra === null) return value;
  return isRecord(value) && isRecord(extra) ? { ...value, ...extra } : extra;
}

function isRecord(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !isList(value) &&
    safely(() => typeof Reflect.get(value, 'toJSON') !== 'function', true)
  );
}
