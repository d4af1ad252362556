/** Checked by the compiler with all other sources: a wrong expectation is a compile error. */
import { type } from 'arktype';
import * as v from 'valibot';
import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import { Hatchet, NonRetryableError, Or, UserEventCondition, type Context, type Cron, type DurableContext, type JsonValue, type Runnable, type ScheduledRun, type SleepResult, type WaitResult, type WorkflowRunRef } from '../../sdk/index.ts';

const hatchet = Hatchet.init();

// A task's types come from its function.
const simple = hatchet.task({ name: 'simple', fn: (input: { message: string }) => ({ message: input.message.toLowerCase() }) });
expectTypeOf(simple.run({ message: 'a' })).resolves.toEqualTypeOf<{ message: string }>();
expectTypeOf(simple.run([{ message: 'a' }])).resolves.toEqualTypeOf<{ message: string }[]>();
expectTypeOf(simple.runNoWait({ message: 'a' })).resolves.toEqualTypeOf<WorkflowRunRef<{ message: string }>>();
expectTypeOf(simple.runNoWait([{ message: 'a' }])).resolves.toEqualTypeOf<WorkflowRunRef<{ message: string }>[]>();
expectTypeOf(simple.runMany([{ input: { message: 'a' }, opts: { priority: 3 } }])).resolves.toEqualTypeOf<{ message: string }[]>();
expectTypeOf(hatchet.run(simple, { message: 'a' })).resolves.toEqualTypeOf<{ message: string }>();
// @ts-expect-error the input lacks its message
void simple.run({});
// @ts-expect-error the message is no number
void simple.run({ message: 1 });
// @ts-expect-error a priority is 1, 2 or 3
void simple.run({ message: 'a' }, { priority: 4 });
// @ts-expect-error the input is not the task's
void hatchet.run(simple, { text: 'a' });

// Runs that start later.
expectTypeOf(simple.schedule(new Date(), { message: 'a' })).resolves.toEqualTypeOf<ScheduledRun>();
expectTypeOf(simple.delay(60, { message: 'a' }, { priority: 3, additionalMetadata: { by: 'test' } })).resolves.toEqualTypeOf<ScheduledRun>();
expectTypeOf(simple.cron('nightly', '0 3 * * *', { message: 'a' }, { timezone: 'Europe/Berlin', catchUp: 'last' })).resolves.toEqualTypeOf<Cron>();
// @ts-expect-error the input lacks its message
void simple.schedule(new Date(), {});
// @ts-expect-error the message is no number
void simple.delay(60, { message: 1 });
// @ts-expect-error an input is asked for
void simple.cron('nightly', '0 3 * * *');

// Asynchronous functions, and functions that give nothing.
const later = hatchet.task({ name: 'later', fn: async (input: { n: number }, ctx) => ({ n: input.n, id: ctx.workflowRunId() }) });
expectTypeOf(later.run({ n: 1 })).resolves.toEqualTypeOf<{ n: number; id: string }>();
const nothing = hatchet.task({ name: 'nothing', fn: () => {} });
expectTypeOf(nothing.run({})).resolves.toEqualTypeOf<void>();

// Types that are given.
interface In {
  a: string;
}
interface Out {
  b: number;
}
const explicit = hatchet.task<In, Out>({ name: 'explicit', fn: (input, ctx) => {
  expectTypeOf(input).toEqualTypeOf<In>();
  expectTypeOf(ctx).toEqualTypeOf<Context<In>>();
  return { b: input.a.length };
} });
expectTypeOf(explicit.run({ a: '' })).resolves.toEqualTypeOf<Out>();
// @ts-expect-error the function does not give what was said
hatchet.task<In, Out>({ name: 'wrong', fn: () => ({ b: 'text' }) });

// Durations.
hatchet.task({ name: 'timed', executionTimeout: '42m30s', scheduleTimeout: { minutes: 5 }, fn: () => {} });
hatchet.task({ name: 'timed', executionTimeout: '3d', scheduleTimeout: '1d12h', fn: () => {} });
// @ts-expect-error weeks are no unit
hatchet.task({ name: 'timed', executionTimeout: '3w', fn: () => {} });

// Schemas give the types: what callers pass, and what the function gets.
const parsed = z.object({ count: z.coerce.string().default('1'), when: z.string().transform((text) => new Date(text)) });
const byZod = hatchet.task({ name: 'by-zod', input: parsed, fn: (input) => {
  expectTypeOf(input).toEqualTypeOf<{ count: string; when: Date }>();
  return { year: input.when.getFullYear() };
} });
void byZod.run({ when: '2026-01-01' });
expectTypeOf(byZod.run({ when: '' })).resolves.toEqualTypeOf<{ year: number }>();
// @ts-expect-error callers pass the text, not the date
void byZod.run({ when: new Date() });

const byValibot = hatchet.task({ name: 'by-valibot', input: v.object({ n: v.number() }), fn: (input) => ({ double: input.n * 2 }) });
expectTypeOf(byValibot.run({ n: 1 })).resolves.toEqualTypeOf<{ double: number }>();
const byArktype = hatchet.task({ name: 'by-arktype', input: type({ n: 'number' }), fn: (input) => ({ double: input.n * 2 }) });
expectTypeOf(byArktype.run({ n: 1 })).resolves.toEqualTypeOf<{ double: number }>();
// @ts-expect-error the schema says number
void byArktype.run({ n: '1' });
// @ts-expect-error the function wants what the schema does not give
hatchet.task({ name: 'against', input: z.object({ a: z.string() }), fn: (input: { a: string; b: number }) => ({ b: input.b }) });

// The official name of the same.
const validated = hatchet.task({ name: 'validated', inputValidator: z.object({ n: z.number() }), fn: (input) => ({ n: input.n }) });
expectTypeOf(validated.run({ n: 1 })).resolves.toEqualTypeOf<{ n: number }>();

// Output schemas.
const checked = hatchet.task({ name: 'checked', input: z.object({ n: z.number() }), output: z.object({ n: z.number(), note: z.string().default('') }), fn: (input) => ({ n: input.n }) });
expectTypeOf(checked.run({ n: 1 })).resolves.toEqualTypeOf<{ n: number; note: string }>();
// @ts-expect-error the output lacks its n
hatchet.task({ name: 'unchecked', output: z.object({ n: z.number() }), fn: () => ({ m: 1 }) });

// Workflows: parents' outputs are typed from their definitions.
const flow = hatchet.workflow<{ n: number }>({ name: 'flow' });
const stepA = flow.task({ name: 'a', fn: (input) => ({ doubled: input.n * 2 }) });
const stepB = flow.task({ name: 'b', parents: [stepA], output: z.object({ text: z.string() }), fn: async (_input, ctx) => {
  const a = await ctx.parentOutput(stepA);
  expectTypeOf(a).toEqualTypeOf<{ doubled: number }>();
  // @ts-expect-error a gives no such field
  void a.tripled;
  return { text: String(a.doubled) };
} });
flow.task({ name: 'c', parents: [stepA, stepB, simple], fn: async (_input, ctx) => {
  expectTypeOf(await ctx.parentOutput(stepB)).toEqualTypeOf<{ text: string }>();
  expectTypeOf(await ctx.parentOutput(simple)).toEqualTypeOf<{ message: string }>();
  expectTypeOf(await ctx.parentOutput<{ x: 1 }>('a')).toEqualTypeOf<{ x: 1 }>();
} });
expectTypeOf(stepA.name).toEqualTypeOf<'a'>();
// @ts-expect-error a parent is a definition, not a name
flow.task({ name: 'd', parents: ['a'], fn: () => {} });

// A workflow whose output was declared: each task gives its part.
const declared = hatchet.workflow<In, { first: Out }>({ name: 'declared' });
const first = declared.task({ name: 'first', fn: () => ({ b: 1 }) });
expectTypeOf(declared.run({ a: '' })).resolves.toEqualTypeOf<{ first: Out }>();
declared.task({ name: 'second', parents: [first], fn: async (_input, ctx) => {
  expectTypeOf(await ctx.parentOutput(first)).toEqualTypeOf<Out>();
} });
// @ts-expect-error first gives a number
declared.task({ name: 'first', fn: () => ({ b: 'text' }) });

// Workflow schemas type their tasks' inputs.
const withSchema = hatchet.workflow({ name: 'with-schema', input: z.object({ when: z.string().transform((text) => new Date(text)) }) });
withSchema.task({ name: 'a', fn: (input) => {
  expectTypeOf(input.when).toEqualTypeOf<Date>();
} });
void withSchema.run({ when: '2026-01-01' });
// @ts-expect-error callers pass the text
void withSchema.run({ when: new Date() });

// Children, and the rest of the context.
hatchet.task({ name: 'parent', fn: async (_input: { a: 1 }, ctx) => {
  expectTypeOf(await ctx.runChild(simple, { message: 'a' }, { key: 'k' })).toEqualTypeOf<{ message: string }>();
  // @ts-expect-error the child's input is another
  await ctx.runChild(simple, { text: 'a' });
  expectTypeOf(ctx.input).toEqualTypeOf<{ a: 1 }>();
  expectTypeOf(ctx.additionalMetadata()).toEqualTypeOf<Record<string, string>>();
  await ctx.refreshTimeout('10s');
  if (ctx.cancelled) throw new NonRetryableError('stop');
} });

// Whatever its types, a declaration can be given to a worker.
expectTypeOf(simple).toExtend<Runnable>();
expectTypeOf(flow).toExtend<Runnable>();
void hatchet.worker('w', { workflows: [simple, byZod, checked, flow, declared, withSchema], slots: 10, labels: { zone: 'a', cores: 4 } });

// Batch tasks: an output for each id, or one for all.
const batched = hatchet.batchTask({ name: 'batched', batch: { maxSize: 3, maxInterval: '200ms' }, fn: (inputs: Record<string, { message: string }>, ctx) => {
  expectTypeOf(ctx.member('').input).toEqualTypeOf<{ message: string }>();
  return Object.fromEntries(Object.entries(inputs).map(([id, { message }]) => [id, { length: message.length }]));
} });
expectTypeOf(batched.run({ message: 'a' })).resolves.toEqualTypeOf<{ length: number }>();
const someFail = hatchet.batchTask({ name: 'some-fail', batch: { maxSize: 3 }, fn: async (inputs: Record<string, { n: number }>) => {
  const outputs: Record<string, { half: number } | Error> = {};
  for (const [id, { n }] of Object.entries(inputs)) outputs[id] = n % 2 === 0 ? { half: n / 2 } : new Error('odd');
  return outputs;
} });
expectTypeOf(someFail.run({ n: 2 })).resolves.toEqualTypeOf<{ half: number }>();
const broadcast = hatchet.batchTask({ name: 'broadcast', batch: { maxSize: 3, broadcastOutput: true }, input: z.object({ n: z.number() }), fn: async (inputs) => ({ sum: Object.values(inputs).reduce((sum, { n }) => sum + n, 0) }) });
expectTypeOf(broadcast.run({ n: 1 })).resolves.toEqualTypeOf<{ sum: number }>();
// @ts-expect-error the input is one run's, not the batch's
void batched.run({ id: { message: 'a' } });
const gathering = hatchet.workflow<{ n: number }>({ name: 'gathering' });
const gathered = gathering.batchTask({ name: 'gathered', batch: { maxSize: 2 }, fn: (inputs) => Object.fromEntries(Object.keys(inputs).map((id) => [id, { id }])) });
gathering.task({ name: 'after', parents: [gathered], fn: async (_input, ctx) => {
  expectTypeOf(await ctx.parentOutput(gathered)).toEqualTypeOf<{ id: string }>();
} });

// Durable tasks: inputs, outputs, children, events and memos.
const approval = z.object({ by: z.string() });
const lasting = hatchet.durableTask({ name: 'lasting', evictionPolicy: { ttl: '5m', allowCapacityEviction: false, priority: 1 }, fn: async (input: { n: number }, ctx) => {
  expectTypeOf(ctx).toEqualTypeOf<DurableContext<{ n: number }>>();
  expectTypeOf(ctx.sleepFor('1h')).resolves.toEqualTypeOf<SleepResult>();
  expectTypeOf(ctx.waitForEvent('approved')).resolves.toEqualTypeOf<Record<string, unknown>>();
  expectTypeOf(ctx.waitForEvent('approved', { schema: approval, scope: 'a', lookback: '1h' })).resolves.toEqualTypeOf<{ by: string }>();
  expectTypeOf(ctx.waitForEvent('approved', 'input.by != ""', approval, 'a', '1h')).resolves.toEqualTypeOf<{ by: string }>();
  expectTypeOf(ctx.waitFor([{ sleepFor: '1s' }, Or({ eventKey: 'a' }, { sleepFor: '1m' })])).resolves.toEqualTypeOf<WaitResult>();
  expectTypeOf(ctx.runChild(simple, { message: 'a' })).resolves.toEqualTypeOf<{ message: string }>();
  expectTypeOf(ctx.waitForEvent('approved', { schema: approval, timeout: '1h' })).resolves.toEqualTypeOf<{ by: string } | undefined>();
  expectTypeOf(ctx.runChildren([{ workflow: simple, input: { message: 'a' } }, { workflow: batched, input: { message: 'b' } }, { workflow: 'named', input: {} }])).resolves.toEqualTypeOf<[{ message: string }, { length: number }, unknown]>();
  expectTypeOf(ctx.runChildren(['a', 'b'].map((message) => ({ workflow: simple, input: { message } })))).resolves.toEqualTypeOf<{ message: string }[]>();
  expectTypeOf(ctx.runChildren<{ n: number }, { m: number }>([{ workflow: 'named', input: { n: 1 } }])).resolves.toEqualTypeOf<{ m: number }[]>();
  // @ts-expect-error the second one's message is no number
  void ctx.runChildren([{ workflow: simple, input: { message: 'a' } }, { workflow: simple, input: { message: 1 } }]);
  expectTypeOf(ctx.spawn(simple, { message: 'a' })).resolves.toEqualTypeOf<WorkflowRunRef<{ message: string }>>();
  expectTypeOf(ctx.memo(['a'], () => 1)).resolves.toEqualTypeOf<number>();
  expectTypeOf(ctx.memo(async () => 'text', ['a'])).resolves.toEqualTypeOf<string>();
  expectTypeOf(ctx.patched('a')).resolves.toEqualTypeOf<boolean>();
  // @ts-expect-error the message is no number
  void ctx.runChild(simple, { message: 1 });
  // @ts-expect-error a memo needs its dependencies
  void ctx.memo(() => 1);
  void ctx.sleepFor('3d');
  // @ts-expect-error weeks are no unit
  void ctx.sleepFor('3w');
  return { n: input.n };
} });
expectTypeOf(lasting.run({ n: 1 })).resolves.toEqualTypeOf<{ n: number }>();
const checkedLasting = hatchet.durableTask({ name: 'checked-lasting', output: z.object({ n: z.number() }), fn: async (input: { a: string }) => ({ n: input.a.length }) });
expectTypeOf(checkedLasting.run({ a: '' })).resolves.toEqualTypeOf<{ n: number }>();
// @ts-expect-error the function does not give what its schema takes
hatchet.durableTask({ name: 'wrong', output: z.object({ n: z.number() }), fn: async () => ({ n: 'text' }) });
const order = hatchet.workflow<{ id: number }>({ name: 'order' });
const paid = order.durableTask({ name: 'paid', fn: async (input, ctx) => ({ id: input.id, at: await ctx.now() }) });
order.task({ name: 'ship', parents: [paid], fn: async (_, ctx) => {
  expectTypeOf(ctx.parentOutput(paid)).resolves.toEqualTypeOf<{ id: number; at: string }>();
} });

// Outputs are what JSON makes of them.
class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
  plus(other: Money): Money {
    return new Money(this.cents + other.cents);
  }
}
interface Tree {
  at: Date;
  leaves: readonly Tree[];
}
const carried = hatchet.task({ name: 'carried', fn: () => ({ at: new Date(), list: [new Date(), undefined], pair: [1, new Date()] as [number, Date], money: new Money(1), maybe: undefined as Date | undefined, go: () => 1, url: new URL('http://a') }) });
expectTypeOf(carried.run({})).resolves.toEqualTypeOf<{ at: string; list: (string | null)[]; pair: [number, string]; money: { readonly cents: number }; maybe?: string; url: string }>();
expectTypeOf(carried.runNoWait({})).resolves.toEqualTypeOf<WorkflowRunRef<{ at: string; list: (string | null)[]; pair: [number, string]; money: { readonly cents: number }; maybe?: string; url: string }>>();
const tree = hatchet.task({ name: 'tree', fn: (): Tree => ({ at: new Date(), leaves: [] }) });
expectTypeOf((await tree.run({})).leaves[0]?.leaves[0]?.at).toEqualTypeOf<string | undefined>();
expectTypeOf(hatchet.task({ name: 'maybe', fn: (input: { n: number }) => (input.n > 0 ? { n: 1 } : undefined) }).run({ n: 1 })).resolves.toEqualTypeOf<{ n: number } | null>();
expectTypeOf(hatchet.task({ name: 'any', fn: (): JsonValue => 1 }).run({})).resolves.toEqualTypeOf<Exclude<JsonValue, undefined>>();
expectTypeOf(hatchet.task<In, { at: Date }>({ name: 'given', fn: () => ({ at: new Date() }) }).run({ a: '' })).resolves.toEqualTypeOf<{ at: string }>();
expectTypeOf(hatchet.task({ name: 'by-schema', output: z.object({ at: z.date() }), fn: () => ({ at: new Date() }) }).run({})).resolves.toEqualTypeOf<{ at: string }>();
expectTypeOf(hatchet.batchTask({ name: 'dates', batch: { maxSize: 2 }, fn: (inputs: Record<string, { n: number }>) => Object.fromEntries(Object.keys(inputs).map((id) => [id, new Date()])) }).run({ n: 1 })).resolves.toEqualTypeOf<string>();
const dated = hatchet.workflow<{ n: number }>({ name: 'dated' });
const firstDate = dated.task({ name: 'first', fn: () => ({ at: new Date() }) });
dated.task({ name: 'second', parents: [firstDate], fn: async (_input, ctx) => {
  expectTypeOf(await ctx.parentOutput(firstDate)).toEqualTypeOf<{ at: string }>();
} });
const datedOutput = hatchet.workflow<object, { first: { at: Date } }>({ name: 'dated-output' });
datedOutput.task({ name: 'first', fn: () => ({ at: new Date() }) });
expectTypeOf(datedOutput.run({})).resolves.toEqualTypeOf<{ first: { at: string } }>();
// @ts-expect-error JSON carries no Map
hatchet.task({ name: 'map', fn: () => ({ found: new Map([['a', 1]]) }) });
// @ts-expect-error nor a Set, however deep
hatchet.task({ name: 'set', fn: async (input: { n: number }) => ({ deep: [{ set: new Set([input.n]) }] }) });
// @ts-expect-error nor a bigint
hatchet.durableTask({ name: 'bigint', fn: async () => ({ n: 1n }) });
// @ts-expect-error nor an Error, which would arrive without its message
dated.task({ name: 'error', fn: () => ({ error: new Error('a') }) });
// @ts-expect-error nor bytes
dated.durableTask({ name: 'bytes', fn: async () => ({ bytes: new Uint8Array(3) }) });
// @ts-expect-error nor a Map of a batch's run
hatchet.batchTask({ name: 'maps', batch: { maxSize: 2 }, fn: (inputs: Record<string, { n: number }>) => Object.fromEntries(Object.keys(inputs).map((id) => [id, new Map([[id, 1]])])) });
hatchet.durableTask({ name: 'memos', fn: async (_input: object, ctx) => {
  expectTypeOf(ctx.memo(['a'], () => new Date())).resolves.toEqualTypeOf<string>();
  // @ts-expect-error nor what a memo records
  void ctx.memo(['a'], () => new Map([['a', 1]]));
} });

// With returnExceptions errors are among the outputs.
expectTypeOf(simple.run([{ message: 'a' }], { returnExceptions: true })).resolves.toEqualTypeOf<({ message: string } | Error)[]>();
expectTypeOf(simple.runAndWait([{ message: 'a' }], { returnExceptions: true })).resolves.toEqualTypeOf<({ message: string } | Error)[]>();
expectTypeOf(simple.run([{ message: 'a' }], { returnExceptions: false, priority: 2 })).resolves.toEqualTypeOf<{ message: string }[]>();
expectTypeOf(simple.runMany([{ input: { message: 'a' } }, { input: { message: 'b' }, opts: { returnExceptions: true } }])).resolves.toEqualTypeOf<({ message: string } | Error)[]>();
hatchet.durableTask({ name: 'listing', fn: async (_input: object, ctx) => {
  expectTypeOf(ctx.bulkRunChildren([{ workflow: simple, input: { message: 'a' }, options: { returnExceptions: true } }])).resolves.toEqualTypeOf<({ message: string } | Error)[]>();
  expectTypeOf(ctx.bulkRunChildren([{ workflow: simple, input: { message: 'a' }, options: { key: 'a' } }])).resolves.toEqualTypeOf<{ message: string }[]>();
  expectTypeOf(ctx.runChildren([{ workflow: simple, input: { message: 'a' }, options: { returnExceptions: true } }, { workflow: batched, input: { message: 'b' } }])).resolves.toEqualTypeOf<[{ message: string } | Error, { length: number } | Error]>();
} });

// Names of enums beside their values.
hatchet.task({ name: 'named', concurrency: { expression: 'input.a', limitStrategy: 'GROUP_ROUND_ROBIN' }, rateLimits: [{ dynamicKey: 'input.a', units: 1, limit: 1, duration: 'HOUR' }], desiredWorkerLabels: { cores: { value: 2, comparator: 'GREATER_THAN' } }, fn: () => {} });
void hatchet.ratelimits.upsert({ key: 'a', limit: 1, duration: 'MINUTE' });
// @ts-expect-error no such strategy
hatchet.task({ name: 'misnamed', concurrency: { expression: 'input.a', limitStrategy: 'ROUND_ROBIN' }, fn: () => {} });

// Events know what they carry.
const orderPaid = hatchet.event<{ id: string; at: Date }>('order:paid');
const approved = hatchet.event('approved', { schema: z.object({ by: z.string(), at: z.coerce.date<string>() }) });
void hatchet.events.push(orderPaid, { id: 'a', at: new Date() });
// @ts-expect-error the id is no number
void hatchet.events.push(orderPaid, { id: 1, at: new Date() });
void hatchet.events.bulkPush(orderPaid, [{ payload: { id: 'a', at: new Date() }, scope: 'a' }]);
// @ts-expect-error the payload lacks its time
void hatchet.events.bulkPush(orderPaid, [{ payload: { id: 'a' } }]);
void hatchet.events.push(approved, { by: 'Ada', at: '2026-01-01' });
void hatchet.events.push('order:paid', { any: 1 });
hatchet.task({ name: 'on-paid', onEvents: [orderPaid, 'order:*'], fn: (input: { id: string; at: string }) => ({ id: input.id }) });
hatchet.task({ name: 'on-both', on: { event: [orderPaid, 'other'] }, fn: (input: { id: string }) => ({ id: input.id }) });
// @ts-expect-error the event has no number there
hatchet.task({ name: 'on-other', onEvents: [orderPaid], fn: (input: { id: number }) => ({ id: input.id }) });
// @ts-expect-error a Date arrives as a text
hatchet.workflow<{ at: Date }>({ name: 'on-date', onEvents: [orderPaid] });
const onPaid = hatchet.workflow<{ id: string }>({ name: 'on-paid-flow', onEvents: [orderPaid] });
onPaid.task({ name: 'waits', waitFor: [{ eventKey: approved }, new UserEventCondition(orderPaid, 'input.id != ""')], fn: () => {} });
hatchet.durableTask({ name: 'waits-for-events', fn: async (_input: object, ctx) => {
  expectTypeOf(ctx.waitForEvent(orderPaid)).resolves.toEqualTypeOf<{ id: string; at: string }>();
  expectTypeOf(ctx.waitForEvent(approved, { timeout: '1h' })).resolves.toEqualTypeOf<{ by: string; at: Date } | undefined>();
  expectTypeOf(ctx.waitForEvent(approved, { scope: 'a' })).resolves.toEqualTypeOf<{ by: string; at: Date }>();
} });

// Middleware types what it adds.
const withUser = hatchet.withMiddleware({
  before: async (input: { token?: string }, ctx) => ({ user: `${input.token ?? ''} of ${ctx.taskName()}` }),
  after: (output) => ({ ...output, took: 1 }),
});
const greeted = withUser.task<{ n: number }, { text: string }>({ name: 'greeted', fn: (input) => {
  expectTypeOf(input).toEqualTypeOf<{ n: number } & { user: string }>();
  return { text: input.user };
} });
expectTypeOf(greeted.run({ n: 1 })).resolves.toEqualTypeOf<{ text: string; took: number }>();
const bySchema = withUser.task({ name: 'by-schema', input: z.object({ n: z.number() }), fn: (input) => ({ n: input.n, user: input.user }) });
expectTypeOf(bySchema.run({ n: 1 })).resolves.toEqualTypeOf<{ n: number; user: string; took: number }>();
const annotated = withUser.task({ name: 'annotated', fn: (input: { n: number; user: string }) => ({ n: input.n }) });
expectTypeOf(annotated.run({ n: 1 })).resolves.toEqualTypeOf<{ n: number; took: number }>();
const twice = withUser.withMiddleware({ before: [(input) => ({ ...input, first: 1 }), () => ({ second: true }), () => undefined], durable: true });
twice.task<{ n: number }>({ name: 'twice', fn: (input) => {
  expectTypeOf(input.second).toEqualTypeOf<boolean>();
  expectTypeOf(input.first).toEqualTypeOf<number>();
  expectTypeOf(input.user).toEqualTypeOf<string>();
} });
twice.durableTask<{ n: number }>({ name: 'durably', fn: (input) => {
  expectTypeOf(input.first).toEqualTypeOf<number>();
  // @ts-expect-error the middleware of the user does not go around durable tasks
  void input.user;
} });
const wrappedFlow = withUser.workflow<{ n: number }>({ name: 'wrapped-flow' });
const wrappedStep = wrappedFlow.withMiddleware({ before: () => ({ own: 1 }) }).task({ name: 'a', fn: (input) => ({ both: `${input.user} ${input.own} ${input.n}` }) });
wrappedFlow.task({ name: 'b', parents: [wrappedStep], fn: async (input, ctx) => {
  expectTypeOf(await ctx.parentOutput(wrappedStep)).toEqualTypeOf<{ both: string; took: number }>();
  // @ts-expect-error that was for the other task alone
  void input.own;
} });
void wrappedFlow.run({ n: 1 });

// Declarations without a function, for programs that only start runs.
const elsewhere = hatchet.task<{ order: string }, { at: Date }>({ name: 'elsewhere' });
expectTypeOf(elsewhere.run({ order: 'a' })).resolves.toEqualTypeOf<{ at: string }>();
// @ts-expect-error the order is no number
void elsewhere.run({ order: 1 });
expectTypeOf(hatchet.durableTask<{ order: string }, { n: number }>({ name: 'durable-elsewhere' }).run({ order: 'a' })).resolves.toEqualTypeOf<{ n: number }>();
expectTypeOf(hatchet.task({ name: 'schema-elsewhere', input: z.object({ n: z.number() }), output: z.object({ m: z.number() }) }).run({ n: 1 })).resolves.toEqualTypeOf<{ m: number }>();
expectTypeOf(hatchet.workflow<{ n: number }, { first: { m: number } }>({ name: 'flow-elsewhere' }).run({ n: 1 })).resolves.toEqualTypeOf<{ first: { m: number } }>();

// Where a function runs: not for durable tasks, whose log is the worker's, and not for batches.
expectTypeOf(hatchet.task({ name: 'apart', isolation: 'thread', fn: (input: { n: number }) => ({ n: input.n }) }).run({ n: 1 })).resolves.toEqualTypeOf<{ n: number }>();
hatchet.task({ name: 'sandboxed', isolation: { level: 'sandbox', memoryMb: 128, cpuTime: '5s', children: ['render'] }, fn: () => ({}) });
// @ts-expect-error only a sandbox is granted something
hatchet.task({ name: 'granted', isolation: { level: 'process', children: ['render'] }, fn: () => ({}) });
// @ts-expect-error durable
hatchet.durableTask({ name: 'durable-apart', isolation: 'process', fn: () => ({}) });
// @ts-expect-error a batch
hatchet.batchTask({ name: 'batch-apart', isolation: 'thread', batch: { maxSize: 2, broadcastOutput: true }, fn: () => ({ n: 1 }) });
