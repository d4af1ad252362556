import { waitFingerprint } from '../../../engine/model/durable/fingerprint.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DurableCondition } from '../../../engine/model/durable/durable.ts';
import type { Condition } from '../../../engine/model/definition.ts';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import type { DurableAsk } from '../../../engine/model/durable/durable-operation.ts';
import { prepareRun } from '../../../engine/shard/prepare/prepare-run.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { stepOf, workflowOf } from '../../helpers/planner-world.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import { valueAt } from '../../helpers/row-of.ts';

/** Has no bound whatever the data, and gives what the data says. */
const dear = 'input.s.matches(input.p)';
const meets = '{"s":"aaa","p":"^a+$"}';
const misses = '{"s":"aab","p":"^a+$"}';
/** Ends only with its deadline. */
const hostile = 'input.l.all(a, input.l.all(b, input.l.all(c, a + b + c >= 0.0)))';
const numbers = JSON.stringify({ l: Array.from({ length: 3000 }, (_, index) => index) });

const database = databaseFixture();
let world: OwnerWorld;
let workerId: string;

beforeEach(async () => {
  world = await OwnerWorld.start(database.url);
});
afterEach(() => world.owner.stop());

async function put(...definitions: ReturnType<typeof workflowOf>[]): Promise<void> {
  const { owner, tenantId } = world;
  for (const definition of definitions)
    await owner.submit({
      kind: 'putWorkflow',
      tenantId,
      definition,
      checksum: definition.name,
      workflowId: newId(),
      versionId: newId(),
      filterIds: [],
      crons: [],
    });
  workerId = newId();
  await owner.submit({
    kind: 'registerWorker',
    tenantId,
    workerId,
    name: 'w',
    actions: definitions.flatMap(({ steps }) => steps.map(({ action }) => action)),
    slots: { durable: 100, default: 100 },
    labels: {},
    runtime: {},
  });
  await world.present(workerId);
}

async function trigger(workflowName: string): Promise<string[]> {
  const { owner, tenantId } = world;
  const run = await prepareRun(owner, tenantId, { workflowName, input: '{}', metadata: '', priority: undefined });
  await owner.submit({ kind: 'trigger', tenantId, runs: [run] });
  return [...run.taskIds];
}

function push(key: string, payload: string, scope: string | null = null): Promise<unknown> {
  const { owner, tenantId } = world;
  return owner.submit({
    kind: 'pushEvent',
    tenantId,
    events: [{ id: newId(), key, scope, payload, metadata: '{}', runs: [] }],
  });
}

function stateOf(taskId: string | undefined): number | undefined {
  const state = world.owner.stateOf(world.tenantId);
  return valueAt(state?.tasks.state, state?.tasks.find(taskId ?? ''));
}

function ask(taskId: string, conditions: readonly DurableCondition[], request: number): Promise<unknown> {
  const { owner, tenantId } = world;
  const what: DurableAsk = {
    kind: 'wait',
    fingerprint: waitFingerprint(conditions),
    asked: { kind: 'wait', conditions, label: null },
  };
  return owner.submit({
    kind: 'durableAsk',
    tenantId,
    workerId,
    taskId,
    invocation: 1,
    stream: 1,
    request,
    ask: what,
  });
}

const told = (): number[] => world.effects.flatMap((effect) => (effect.kind === 'durableResult' ? [effect.node] : []));
const asked = (): unknown[] =>
  world.effects.flatMap((effect) =>
    effect.kind === 'durableAnswer' && effect.reply.kind === 'ok'
      ? [[effect.request, effect.reply.refs.map(({ node }) => node)]]
      : [],
  );
const event = (options: Partial<Extract<DurableCondition, { kind: 'event' }>> = {}): DurableCondition => ({
  kind: 'event',
  eventKey: 'go',
  scope: null,
  expression: dear,
  sinceMs: null,
  group: 0,
  dataKey: 'e',
  ...options,
});
const condition = (options: Partial<Condition> & Pick<Condition, 'kind'>): Condition =>
  Object({ action: 'QUEUE', group: 0, dataKey: 'c', ...options });

describe('conditions whose cost has no bound', () => {
  it('on an output: met by what the expression gives, off the lane', async () => {
    const steps = [
      stepOf('first', { action: 'wf:one' }),
      stepOf('met', {
        action: 'wf:met',
        parents: [0],
        conditions: [
          condition({ kind: 'parent', parent: 0, whenSkipped: false, expression: 'output.s.matches(output.p)' }),
        ],
      }),
      stepOf('skipped', {
        action: 'wf:skipped',
        parents: [0],
        conditions: [
          condition({
            kind: 'parent',
            parent: 0,
            whenSkipped: false,
            action: 'SKIP',
            expression: 'output.s.matches(output.p)',
          }),
        ],
      }),
    ];
    await put(workflowOf('flow', steps));
    const [first = '', met, skipped] = await trigger('flow');
    await world.complete(first, 0, meets);
    expect([stateOf(met), stateOf(skipped)]).toEqual([LiveState.Running, undefined]);
    const [other = '', waits] = await trigger('flow');
    await world.complete(other, 0, misses);
    expect(stateOf(waits)).not.toBe(LiveState.Running);
  });

  it('on an output that is large, however plain the expression', async () => {
    await put(
      workflowOf('flow', [
        stepOf('first', { action: 'wf:one' }),
        stepOf('met', {
          action: 'wf:met',
          parents: [0],
          conditions: [condition({ kind: 'parent', parent: 0, whenSkipped: false, expression: 'output.n > 5.0' })],
        }),
      ]),
    );
    const [first = '', met] = await trigger('flow');
    await world.complete(first, 0, JSON.stringify({ n: 6, filler: 'x'.repeat(1_000_000) }));
    expect(stateOf(met)).toBe(LiveState.Running);
  });

  it('on an event, of a task and of a durable task; the lane goes on while they are looked at', async () => {
    await put(
      workflowOf('flow', [
        stepOf('one', {
          action: 'wf:one',
          conditions: [condition({ kind: 'event', eventKey: 'go', scope: null, expression: dear })],
        }),
        stepOf('other', {
          action: 'wf:other',
          conditions: [condition({ kind: 'event', eventKey: 'slow', scope: null, expression: hostile })],
        }),
      ]),
      workflowOf('long', [stepOf('one', { action: 'wf:long', durable: true, slots: { durable: 1 } })]),
    );
    const [task] = await trigger('flow');
    const [durable = ''] = await trigger('long');
    await ask(durable, [event()], 1);
    const order: string[] = [];
    const slow = push('slow', numbers).then(() => order.push('slow'));
    await push('other', '{}').then(() => order.push('other'));
    await slow;
    expect(order).toEqual(['other', 'slow']);
    await push('go', misses);
    expect([stateOf(task), told()]).toEqual([LiveState.Gated, []]);
    await push('go', meets);
    expect([stateOf(task), told()]).toEqual([LiveState.Running, [1]]);
  });

  it('on an event that comes with the very batch of the wait', async () => {
    await put(workflowOf('long', [stepOf('one', { action: 'wf:long', durable: true, slots: { durable: 1 } })]));
    const [durable = ''] = await trigger('long');
    await Promise.all([push('go', meets), ask(durable, [event()], 1), push('go', misses), push('go', meets)]);
    expect(told()).toEqual([1]);
  });

  it('on an event of before: what the task asks next does not overtake the wait', async () => {
    await put(workflowOf('long', [stepOf('one', { action: 'wf:long', durable: true, slots: { durable: 1 } })]));
    const [durable = ''] = await trigger('long');
    const since = Date.now() - 60_000;
    await push('go', misses, 'room');
    await push('go', meets, 'room');
    await Promise.all([
      ask(durable, [event({ scope: 'room', sinceMs: since })], 1),
      ask(durable, [event({ eventKey: 'never' })], 2),
      ask(durable, [event({ scope: 'room', sinceMs: since, expression: 'false && input.l.all(x, true)' })], 3),
    ]);
    expect(asked()).toEqual([
      [1, [1]],
      [2, [2]],
      [3, [3]],
    ]);
    expect(told()).toEqual([1]);
  });

  it('of a replay: keys and conditions on kept outputs', async () => {
    const steps = [
      stepOf('first', { action: 'wf:one' }),
      stepOf('met', {
        action: 'wf:met',
        parents: [0],
        conditions: [
          condition({ kind: 'parent', parent: 0, whenSkipped: false, expression: 'output.s.matches(output.p)' }),
        ],
        concurrency: [
          {
            expression: `{'s': 'aa', 'p': '^a+$'}['s'].matches(string('^a+$')) ? 'yes' : 'no'`,
            strategy: 'GROUP_ROUND_ROBIN',
            maxRuns: 1,
            maxRunsExpression: null,
            sharedName: null,
          },
        ],
      }),
    ];
    await put(workflowOf('flow', steps));
    const [first = '', met = ''] = await trigger('flow');
    await world.complete(first, 0, meets);
    await world.complete(met, 0);
    await world.owner.submit({
      kind: 'replay',
      tenantId: world.tenantId,
      ids: [met],
    });
    expect(stateOf(met)).toBe(LiveState.Running);
  });

  it('are not taken for unmet when the engine stops meanwhile', async () => {
    await put(
      workflowOf('flow', [
        stepOf('first', { action: 'wf:one' }),
        stepOf('met', {
          action: 'wf:met',
          parents: [0],
          conditions: [
            condition({ kind: 'parent', parent: 0, whenSkipped: false, expression: 'output.s.matches(output.p)' }),
          ],
        }),
      ]),
    );
    const [first = '', met] = await trigger('flow');
    const report = world.complete(first, 0, meets);
    const refused = expect(report).rejects.toThrow('the engine is stopping');
    await world.owner.cel.stop();
    await world.owner.stop();
    await refused;
    const { tenantId } = world;
    world = await OwnerWorld.start(database.url, { tenantId });
    await world.present(workerId);
    await world.complete(first, 0, meets);
    expect(stateOf(met)).toBe(LiveState.Running);
  });
});
