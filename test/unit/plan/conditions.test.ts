import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../engine/model/definition.ts';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { valueAt } from '../../helpers/row-of.ts';
import { tenantOf } from '../../helpers/tenant.ts';

type Base = Pick<Condition, 'action' | 'group'>;
const sleep = (base: Base, ms: number): Condition => ({
  ...base,
  kind: 'sleep',
  ms,
  duration: `${ms / 1000}s`,
  expression: '',
  dataKey: `sleep ${ms}`,
});
const event = (base: Base, eventKey: string, options: { scope?: string; expression?: string } = {}): Condition => ({
  ...base,
  kind: 'event',
  eventKey,
  scope: options.scope ?? null,
  expression: options.expression ?? '',
  dataKey: eventKey,
});
const onParent = (base: Base, expression: string, whenSkipped = false): Condition => ({
  ...base,
  kind: 'parent',
  parent: 0,
  expression,
  whenSkipped,
  dataKey: '',
});

const queue = { action: 'QUEUE', group: 0 } as const;
const also = { action: 'QUEUE', group: 1 } as const;
const skip = { action: 'SKIP', group: 0 } as const;
const cancel = { action: 'CANCEL', group: 0 } as const;

/** A step that ran already, and one behind it with the conditions. */
class Scene {
  readonly made = new PlannerWorld();
  readonly runId: string;

  constructor(conditions: Condition[], options: { rootConditions?: Condition[]; retries?: number } = {}) {
    this.made.put(
      workflowOf('wf', [
        stepOf('first', { conditions: options.rootConditions ?? [] }),
        stepOf('then', { parents: [0], conditions, retries: options.retries ?? 0 }),
      ]),
    );
    this.made.register({ actions: ['wf:first', 'wf:then'] });
    this.runId = this.made.trigger('wf');
  }

  idOf(step: number): string {
    return this.made.stored.runs.get(this.runId)?.tasks[step]?.id ?? '';
  }

  finishFirst(output = '{}'): this {
    this.made.run({ kind: 'completed', tenantId, taskId: this.idOf(0), attempt: 0, output });
    return this;
  }

  push(key: string, payload: unknown = {}, scope: string | null = null): this {
    this.made.run({
      kind: 'pushEvent',
      tenantId,
      events: [{ id: this.made.id(), key, scope, payload: JSON.stringify(payload), metadata: '{}', runs: [] }],
    });
    return this;
  }

  advance(ms: number): this {
    this.made.nowUs += ms * 1000;
    this.made.run({ kind: 'tick' });
    return this;
  }

  /** GATED, RUNNING, or how it ended. */
  get state(): string {
    const { tasks } = this.made.state;
    const live = valueAt(tasks.state, tasks.find(this.idOf(1)));
    const result = this.made.stored.results.get(`${this.idOf(1)}/1`);
    if (result !== undefined)
      return result.output === '{"skipped": true}'
        ? 'SKIPPED'
        : (Object.entries(RunStatus).find(([, value]) => value === result.status)?.[0] ?? '').toUpperCase();
    return (
      Object.entries(LiveState)
        .find(([, value]) => value === live)?.[0]
        .toUpperCase() ?? ''
    );
  }

  get triggers(): unknown {
    const sent = this.made.effects.flatMap((effect) =>
      effect.kind === 'dispatch' && effect.taskId === this.idOf(1) ? [effect.triggers] : [],
    );
    return JSON.parse(sent.at(-1) ?? 'null');
  }

  get messages(): string[] {
    return this.made.stored.history.flatMap((row) =>
      row.taskId === this.idOf(1) && row.message !== null ? [row.message] : [],
    );
  }
}

describe('conditions', () => {
  it('begin to count when the parents are done: neither an earlier event nor earlier time', () => {
    const scene = new Scene([event(queue, 'go'), sleep(queue, 10_000)]);
    scene.push('go', { early: true }).advance(30_000);
    expect(scene.finishFirst().state).toBe('GATED');
    expect(scene.advance(9_000).state).toBe('GATED');
    expect(scene.advance(2_000).state).toBe('RUNNING');
    expect(scene.triggers).toEqual({ 'sleep 10000': { sleep_duration: '10s' } });
  });

  it('wait for the last of several parents before they count', () => {
    const made = new PlannerWorld();
    made.put(
      workflowOf('wf', [stepOf('a'), stepOf('b'), stepOf('c', { parents: [0, 1], conditions: [event(queue, 'go')] })]),
    );
    made.register({ actions: ['wf:a', 'wf:b', 'wf:c'] });
    const tasks = made.stored.runs.get(made.trigger('wf'))?.tasks.map(({ id }) => id) ?? [];
    const push = (): unknown =>
      made.run({
        kind: 'pushEvent',
        tenantId,
        events: [{ id: made.id(), key: 'go', scope: null, payload: '{}', metadata: '{}', runs: [] }],
      });
    const stateOf = (): number | undefined => valueAt(made.state.tasks.state, made.state.tasks.find(tasks[2] ?? ''));
    made.run({ kind: 'completed', tenantId, taskId: tasks[0] ?? '', attempt: 0, output: '{}' });
    push();
    made.run({ kind: 'completed', tenantId, taskId: tasks[1] ?? '', attempt: 0, output: '{}' });
    expect(stateOf()).toBe(LiveState.Gated);
    push();
    expect(stateOf()).toBe(LiveState.Running);
  });

  it('sleep each for its own time', () => {
    const scene = new Scene([sleep(queue, 5_000), sleep(also, 10_000)]).finishFirst();
    expect(scene.advance(6_000).state).toBe('GATED');
    expect(scene.advance(3_000).state).toBe('GATED');
    expect(scene.advance(2_000).state).toBe('RUNNING');
  });

  it('of all groups are needed, one of each group is enough, and each is met once: by the first', () => {
    const scene = new Scene([event(queue, 'go'), event(queue, 'other'), event(also, 'and')]).finishFirst();
    expect(scene.push('go', { n: 1 }).push('go', { n: 2 }).state).toBe('GATED');
    expect(scene.push('and', { n: 3 }).state).toBe('RUNNING');
    expect(scene.triggers).toEqual({ go: { n: 1 }, and: { n: 3 } });
  });

  it('ask for the scope that they name, and take any where they name none', () => {
    const scene = new Scene([event(queue, 'go', { scope: 'eu' })]).finishFirst();
    expect(scene.push('go').push('go', {}, 'us').state).toBe('GATED');
    expect(scene.push('go', {}, 'eu').state).toBe('RUNNING');
    expect(new Scene([event(queue, 'go')]).finishFirst().push('go', {}, 'us').state).toBe('RUNNING');
  });

  it('that fail are not met; the timeline says why, once', () => {
    const scene = new Scene([event(queue, 'go', { expression: 'input.no.such == 1' })]).finishFirst();
    expect(
      scene
        .push('go')
        .push('go')
        .push('go', { no: { such: 2 } }).state,
    ).toBe('GATED');
    expect(scene.messages).toEqual([expect.stringContaining('the condition "input.no.such == 1" failed: ')]);
    expect(scene.push('go', { no: { such: 1.0 } }).state).toBe('RUNNING');
    const onOutput = new Scene([onParent(skip, 'output.no.such')]).finishFirst();
    expect(onOutput.state).toBe('RUNNING');
    expect(onOutput.messages).toEqual([expect.stringContaining('the condition "output.no.such" failed: ')]);
    const noBoolean = new Scene([onParent(skip, 'output.n')]).finishFirst('{"n":3}');
    expect(noBoolean.messages).toEqual(['the condition "output.n" gave 3, not true or false']);
  });

  it('skip before they cancel, and cancel before they queue', () => {
    const both = [onParent(skip, 'output.skip'), onParent(cancel, 'output.cancel'), onParent(queue, 'output.go')];
    const by = (output: unknown): string => new Scene(both).finishFirst(JSON.stringify(output)).state;
    expect(by({ skip: true, cancel: true, go: true })).toBe('SKIPPED');
    expect(by({ skip: false, cancel: true, go: true })).toBe('CANCELLED');
    expect(by({ skip: false, cancel: false, go: true })).toBe('RUNNING');
    const never = new Scene(both).finishFirst('{"skip":false,"cancel":false,"go":false}');
    expect(never.state).toBe('CANCELLED');
    expect(never.messages).toEqual(['a condition that it waits for can no longer be met']);
  });

  it('on a skipped parent hold as they say, and replace the rule that skips with all parents', () => {
    const skippedFirst = (conditions: Condition[]): string => {
      const scene = new Scene(conditions, { rootConditions: [sleep(skip, 1_000), event(queue, 'never')] });
      return scene.advance(2_000).state;
    };
    expect(skippedFirst([])).toBe('SKIPPED');
    expect(skippedFirst([onParent(skip, 'output.n > 1', true)])).toBe('SKIPPED');
    expect(skippedFirst([onParent(skip, 'output.n > 1', false)])).toBe('RUNNING');
  });

  it('know a skipped parent from one whose own output says so', () => {
    const scene = new Scene([]).finishFirst('{"skipped": true}');
    expect(scene.state).toBe('RUNNING');
    expect(scene.made.stored.results.get(`${scene.idOf(0)}/1`)?.output).toBe('{"skipped":true}');
  });

  it('give what met them to every attempt', () => {
    const scene = new Scene([event(queue, 'go')], { retries: 1 }).finishFirst().push('go', { by: 'ada' });
    scene.made.run({ kind: 'failed', tenantId, taskId: scene.idOf(1), attempt: 0, error: 'no', mayRetry: true });
    expect(scene.made.effects.findLast((effect) => effect.kind === 'dispatch')).toMatchObject({
      taskId: scene.idOf(1),
      attempt: 1,
      triggers: '{"go":{"by":"ada"}}',
    });
    scene.made.run({ kind: 'completed', tenantId, taskId: scene.idOf(1), attempt: 1, output: '{}' });
    expect(scene.made.state.waits.size).toBe(0);
  });

  it('are forgotten with a task that is cancelled while it waits', () => {
    const scene = new Scene([event(queue, 'go')]).finishFirst();
    scene.made.run({ kind: 'cancel', tenantId, ids: [scene.runId] });
    expect(scene.push('go').state).toBe('CANCELLED');
    expect(scene.made.state.eventWaiters.of(tenantId, 'go')).toEqual([]);
    expect(scene.made.broken()).toBeUndefined();
  });

  it("are no other tenant's business", () => {
    const scene = new Scene([event(queue, 'go')]).finishFirst();
    scene.made.run({
      kind: 'pushEvent',
      tenantId: tenantOf('00000000-0000-7000-8000-00000000000b'),
      events: [{ id: scene.made.id(), key: 'go', scope: null, payload: '{}', metadata: '{}', runs: [] }],
    });
    expect(scene.state).toBe('GATED');
  });
});
