import { beforeEach, expect, it } from 'vitest';
import type { Condition } from '../../../engine/model/definition.ts';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import type { EventRow, EventWakingRow } from '../../../engine/model/stored-rows.ts';
import type { Command } from '../../../engine/plan/commands/command.ts';
import { noFacts, type Facts } from '../../../engine/plan/commands/loaded-facts.ts';
import { ShardState } from '../../../engine/plan/state/shard-state.ts';
import { wakingLimits } from '../../../engine/plan/state/waking-limits.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { rowOf } from '../../helpers/row-of.ts';

/** A planner whose transactions meet two tasks by an event, with the rows of events that a database would have. */
class WakingWorld extends PlannerWorld {
  readonly events = new Map<string, EventRow>();
  readonly wakings = new Map<number, EventWakingRow>();

  constructor() {
    super();
    const { id, epoch, lastTransaction, seq, lostUs } = this.state;
    const limits = { ...wakingLimits, tasks: 2, looks: 40, eventsTogether: 2, pending: 4 };
    this.state = new ShardState({ id, epoch, lastTransaction, seq, lostUs, wakingLimits: limits });
    this.write = ({ events, wakings, wakingDeletes }) => {
      for (const event of events) this.events.set(event.id, event);
      for (const waking of wakings) this.wakings.set(waking.seq, waking);
      for (const { seq: done } of wakingDeletes) this.wakings.delete(done);
    };
    this.put(workflowOf('waits', [stepOf('waits', { conditions: [on('go'), on('stop')] })]));
    this.put(workflowOf('picks', [stepOf('picks', { conditions: [on('pick', 'input.n > 1.0')] })]));
    this.register({ actions: ['wf:waits', 'wf:picks'], slots: 1000 });
  }

  override factsFor(command: Command): Facts {
    if (command.kind !== 'wakeByEvent') return super.factsFor(command);
    const event = this.events.get(command.eventId);
    const from = this.state.wakings.first(tenantId, command.key)?.after ?? null;
    return { ...noFacts, wakingPage: { eventId: command.eventId, event, from, listeners: [], next: null } };
  }

  push(key: string, payload = '{}'): string {
    const id = this.id();
    this.run(this.pushOf([{ id, key, payload }]));
    return id;
  }

  pushOf(events: readonly { id: string; key: string; payload: string }[]): Command & { kind: 'pushEvent' } {
    return {
      kind: 'pushEvent',
      tenantId,
      events: events.map((event) => ({ ...event, scope: null, metadata: '{}', runs: [] })),
    };
  }

  pageOf(key: string, options: { tasks?: number; passesOver?: boolean } = {}): Command & { kind: 'wakeByEvent' } {
    const eventId = this.state.wakings.first(tenantId, key)?.eventId ?? '';
    return { kind: 'wakeByEvent', tenantId, key, eventId, tasks: options.tasks ?? 2, ...options };
  }

  /** The next page of the key's first event. */
  page(key: string, options: { tasks?: number; passesOver?: boolean } = {}): void {
    this.run(this.pageOf(key, options));
  }

  isRunning(taskId: string): boolean {
    return this.state.tasks.state[rowOf(this.state.tasks, taskId)] === LiveState.Running;
  }

  /** What met the task. */
  triggersOf(taskId: string): unknown {
    const sent = this.effects.flatMap((effect) =>
      effect.kind === 'dispatch' && effect.taskId === taskId ? [JSON.parse(effect.triggers) as unknown] : [],
    );
    return sent.at(-1);
  }
}

function on(eventKey: string, expression = ''): Condition {
  return { action: 'QUEUE', group: 0, kind: 'event', eventKey, scope: null, expression, dataKey: eventKey };
}

let world: WakingWorld;
beforeEach(() => {
  world = new WakingWorld();
});

function triggerMany(count: number, workflow = 'waits'): string[] {
  return Array.from({ length: count }, () => world.trigger(workflow));
}

function running(tasks: readonly string[]): boolean[] {
  return tasks.map((taskId) => world.isRunning(taskId));
}

it('an event that few wait for is met as it comes, and leaves no row', () => {
  const tasks = triggerMany(2);
  world.push('go');
  expect(running(tasks)).toEqual([true, true]);
  expect(world.wakings.size).toBe(0);
});

it('an event that many wait for is stored at once, and met page by page, in the order in which they began to wait', () => {
  const tasks = triggerMany(5);
  const eventId = world.push('go', '{"n":1}');
  expect(world.events.has(eventId)).toBe(true);
  expect([...world.wakings.values()].map((row) => row.eventId)).toEqual([eventId]);
  expect(running(tasks)).toEqual([false, false, false, false, false]);
  world.page('go');
  expect(running(tasks)).toEqual([true, true, false, false, false]);
  world.page('go');
  expect(running(tasks)).toEqual([true, true, true, true, false]);
  world.page('go');
  expect(running(tasks)).toEqual([true, true, true, true, true]);
  // Durable tasks come after steps.
  expect(world.wakings.size).toBe(1);
  world.page('go');
  expect(world.wakings.size).toBe(0);
  expect(tasks.map((taskId) => world.triggersOf(taskId))).toEqual(tasks.map(() => ({ go: { n: 1 } })));
});

it('looks are bounded too: those whom an event does not concern end a page', () => {
  const tasks = triggerMany(60, 'picks');
  world.push('pick', '{"n":1}');
  expect(world.wakings.size).toBe(1);
  world.page('pick');
  expect(world.state.wakings.first(tenantId, 'pick')).toMatchObject({ after: null });
  world.page('pick');
  world.page('pick');
  expect(world.wakings.size).toBe(0);
  expect(running(tasks)).not.toContain(true);
});

it('a payload is stored with each task that it meets: the longer it is, the fewer a page has', () => {
  const tasks = triggerMany(2);
  world.push('go', JSON.stringify({ long: 'x'.repeat(wakingLimits.chars) }));
  expect(running(tasks)).toEqual([false, false]);
  world.page('go');
  expect(running(tasks)).toEqual([true, false]);
});

it('a later event of the key waits behind the first, for every task, also where it could meet all that wait by now', () => {
  const tasks = triggerMany(5);
  world.push('go', '{"n":1}');
  world.page('go');
  world.page('go');
  world.push('go', '{"n":2}');
  expect(world.wakings.size).toBe(2);
  for (let pages = 0; world.wakings.size > 0 && pages < 20; pages++) world.page('go');
  expect(tasks.map((taskId) => world.triggersOf(taskId))).toEqual(tasks.map(() => ({ go: { n: 1 } })));
});

it('what begins to wait after the event is left to the next one', () => {
  const tasks = triggerMany(3);
  world.push('go', '{"n":1}');
  const later = triggerMany(2);
  for (let pages = 0; world.wakings.size > 0 && pages < 20; pages++) world.page('go');
  expect(running([...tasks, ...later])).toEqual([true, true, true, false, false]);
  world.push('go', '{"n":2}');
  expect(later.map((taskId) => world.triggersOf(taskId))).toEqual([{ go: { n: 2 } }, { go: { n: 2 } }]);
});

it('what has been cancelled meanwhile is left alone, and so is the task that has its place in memory', () => {
  const tasks = triggerMany(5);
  world.push('go', '{"n":1}');
  world.page('go');
  world.run({ kind: 'cancel', tenantId, ids: [tasks[3] ?? ''] });
  const row = world.trigger('waits');
  for (let pages = 0; world.wakings.size > 0 && pages < 20; pages++) world.page('go');
  expect(world.state.tasks.find(tasks[3] ?? '')).toBeUndefined();
  expect(world.isRunning(row)).toBe(false);
  expect(running([0, 1, 2, 4].map((at) => tasks[at] ?? ''))).toEqual([true, true, true, true]);
});

it('a tenant may have so many that are not through, and is told to come again beyond that', () => {
  triggerMany(3);
  for (let n = 0; n < 4; n++) world.push('go');
  const before = world.image();
  expect(() => world.push('go')).toThrow(expect.objectContaining({ code: 'BUSY' }));
  expect(world.wakings.size).toBe(4);
  world.state.undo.rollback();
  expect(world.image()).toEqual(before);
  world.push('pick');
});

it('an event of another key that few wait for is met at once', () => {
  const tasks = triggerMany(3);
  const picking = world.trigger('picks');
  world.push('go');
  world.push('pick', '{"n":2}');
  expect(running([...tasks, picking])).toEqual([false, false, false, true]);
});

it('events of one command meet no more together than their share of a transaction', () => {
  const keys = ['a', 'b', 'c', 'd', 'e'];
  const tasks = keys.map((key) => {
    world.put(workflowOf(key, [stepOf(key, { action: 'wf:waits', conditions: [on(key)] })]));
    return world.trigger(key);
  });
  world.run(world.pushOf(keys.map((key) => ({ id: world.id(), key, payload: '{}' }))));
  expect(running(tasks)).toEqual([true, true, true, true, false]);
  world.page('e');
  expect(running(tasks)).toEqual([true, true, true, true, true]);
});

it('a push or a page that is taken back leaves no trace', () => {
  triggerMany(5);
  const before = world.image();
  world.rollback([world.pushOf([{ id: world.id(), key: 'go', payload: '{}' }])]);
  expect(world.image()).toEqual(before);
  world.push('go');
  for (let pages = 0; world.wakings.size > 0 && pages < 20; pages++) {
    const then = world.image();
    world.rollback([world.pageOf('go')]);
    expect(world.image()).toEqual(then);
    world.page('go');
  }
  expect(world.wakings.size).toBe(0);
});

it('one that cannot be met is passed over: it waits on, and the others are met', () => {
  const tasks = triggerMany(4);
  world.push('go');
  world.page('go', { tasks: 1, passesOver: true });
  for (let pages = 0; world.wakings.size > 0 && pages < 20; pages++) world.page('go');
  expect(running(tasks)).toEqual([false, true, true, true]);
});

it('of an event that is not stored any more, nothing is left', () => {
  triggerMany(3);
  world.events.delete(world.push('go'));
  world.page('go');
  expect(world.wakings.size).toBe(0);
});

it('a tenant that is being deleted is woken by nothing', () => {
  const tasks = triggerMany(3);
  world.push('go');
  world.push('go');
  world.run({ kind: 'closeTenant', tenantId });
  world.page('go');
  expect(world.wakings.size).toBe(0);
  expect([...world.state.wakings]).toEqual([]);
  expect(running(tasks)).toEqual([false, false, false]);
});
