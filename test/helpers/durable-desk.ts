import { waitFingerprint } from '../../engine/model/durable/fingerprint.ts';
import { type DurableCondition } from '../../engine/model/durable/durable.ts';
import type { AskedChild, DurableAsk, DurableAskReply } from '../../engine/model/durable/durable-operation.ts';
import type { Effect } from '../../engine/model/task/effect.ts';
import { DurableWorld } from './durable-world.ts';
import { stepOf, tenantId, workflowOf } from './planner-world.ts';
import { valueAt, workerOf } from './row-of.ts';

/** A planner with a durable workflow, one worker, and the words of a worker to it. */
export let world: DurableWorld;
export let workerId: string;
let requests: number;

/** Anew, before each test. */
export function setUp(): void {
  world = new DurableWorld();
  requests = 0;
  world.putDurable('long', { retries: 2, executionTimeoutMs: 3_600_000 });
  world.put(workflowOf('kid', [stepOf('one', { action: 'kid:one' })]));
  workerId = register();
}

export function register(slots = 1, runtime: Record<string, string> = {}): string {
  const id = world.id();
  world.run({
    kind: 'registerWorker',
    tenantId,
    workerId: id,
    name: 'd',
    actions: ['wf:long'],
    slots: { durable: slots },
    labels: {},
    runtime,
  });
  world.run({ kind: 'workerPresence', tenantId, workerId: id, assignable: true });
  return id;
}

/** From now on the words are those of this worker. */
export function speakAs(id: string): void {
  workerId = id;
}

/** The worker opens a stream. Strict as those of Hatchet's own SDKs: what they are told of and do not wait for holds up all after it. */
export function attach({ strict }: { strict: boolean }): void {
  world.run({ kind: 'durableAttach', tenantId, workerId, stream: 1, strict });
}

export const sleep = (seconds: number, group = 0): DurableCondition => ({
  kind: 'sleep',
  ms: seconds * 1000,
  duration: `${seconds}s`,
  group,
  dataKey: 'sleep',
});
export const event = (
  key: string,
  options: Partial<Extract<DurableCondition, { kind: 'event' }>> = {},
): DurableCondition => ({
  kind: 'event',
  eventKey: key,
  scope: null,
  expression: '',
  sinceMs: null,
  group: 0,
  dataKey: 'event',
  ...options,
});

export function wait(...conditions: DurableCondition[]): DurableAsk {
  return {
    kind: 'wait',
    fingerprint: waitFingerprint(conditions),
    asked: { kind: 'wait', conditions, label: null },
  };
}

export function memo(key: string): DurableAsk {
  return { kind: 'memo', key, payload: null };
}

export function spawn(taskId: string, ...names: { index: number; key?: string }[]): DurableAsk {
  const children = names.map(({ index, key }): AskedChild => ({
    run: world.childOf(taskId, index).run,
    workflow: 'kid',
    name: key === undefined ? `index ${index}` : `key ${key}`,
    fingerprint: 'kid',
  }));
  return { kind: 'children', children };
}

export function invocationOf(taskId: string): number {
  return valueAt(world.state.tasks.invocation, world.state.tasks.find(taskId)) ?? 0;
}

export function stateOf(taskId: string): number | undefined {
  return valueAt(world.state.tasks.state, world.state.tasks.find(taskId));
}

export function ask(taskId: string, what: DurableAsk, invocation = invocationOf(taskId)): DurableAskReply | undefined {
  requests++;
  const worker = workerOf(world.state, taskId);
  world.run({
    kind: 'durableAsk',
    tenantId,
    workerId: worker?.id ?? workerId,
    taskId,
    invocation,
    stream: worker?.durableStream ?? 0,
    request: requests,
    ask: what,
  });
  return world.effects
    .flatMap((effect) => (effect.kind === 'durableAnswer' && effect.request === requests ? [effect.reply] : []))
    .at(-1);
}

export function told(invocation: number): number[] {
  return world.effects.flatMap((effect) =>
    effect.kind === 'durableResult' && effect.invocation === invocation ? [effect.node] : [],
  );
}

export function seconds(n: number): void {
  world.nowUs += n * 1_000_000;
  world.run({ kind: 'tick' });
}

export function push(key: string, payload = '{}', scope: string | null = null): void {
  world.run({
    kind: 'pushEvent',
    tenantId,
    events: [{ id: world.id(), key, scope, payload, metadata: '{}', runs: [] }],
  });
}

export function status(taskId: string, ...nodes: number[]): void {
  world.run({
    kind: 'durableStatus',
    tenantId,
    workerId,
    tasks:
      nodes.length === 0
        ? []
        : [{ taskId, invocation: invocationOf(taskId), nodes: nodes.map((node) => ({ branch: 1, node })) }],
  });
}

export function evict(taskId: string): void {
  world.run({ kind: 'durableEvict', tenantId, workerId, taskId, invocation: invocationOf(taskId), reason: 'ttl' });
}

export function last<Kind extends Effect['kind']>(kind: Kind): Extract<Effect, { kind: Kind }> | undefined {
  return world.effects.findLast((effect): effect is Extract<Effect, { kind: Kind }> => effect.kind === kind);
}
