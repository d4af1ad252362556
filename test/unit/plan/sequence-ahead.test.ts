import { beforeEach, describe, expect, it } from 'vitest';
import { queueFigures } from '../../../engine/figures/queue-figures.ts';
import { parseAsked } from '../../../engine/model/durable/durable.ts';
import * as desk from '../../helpers/durable-desk.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';
import { rowOf } from '../../helpers/row-of.ts';

const hourUs = 3_600_000_000;

/** A clock was ahead by an hour once: the shard's sequence still is. */
function ahead(made: PlannerWorld): void {
  made.state.seq = made.nowUs + hourUs;
}

describe('a sequence that is an hour ahead of the time', () => {
  beforeEach(desk.setUp);

  it('makes no sleep of a durable task longer, on its worker or off it', () => {
    const { world } = desk;
    const taskId = world.trigger('long');
    ahead(world);
    desk.ask(taskId, desk.wait(desk.sleep(2)));
    desk.seconds(2);
    expect(desk.told(1)).toEqual([1]);
    desk.ask(taskId, desk.wait(desk.sleep(3)));
    const entry = [...world.entries.values()].at(-1);
    expect(parseAsked(entry?.asked ?? '', entry?.seq ?? 0)).toMatchObject({
      askedUs: world.nowUs,
      asked: { kind: 'wait' },
    });
    desk.status(taskId, 2);
    world.run({ kind: 'durableEvict', tenantId, workerId: desk.workerId, taskId, invocation: 1, reason: 'ttl' });
    world.state.durable.drop(rowOf(world.state.tasks, taskId));
    desk.seconds(3);
    expect(desk.invocationOf(taskId)).toBe(2);
  });

  it('holds up no batch', () => {
    const made = new PlannerWorld();
    const batch = { maxSize: 10, maxIntervalMs: 5_000, groupKey: null, groupMaxRuns: null, broadcastOutput: false };
    made.put(workflowOf('one', [stepOf('one', { batch })]));
    made.register({ actions: ['wf:one'], slots: 10 });
    ahead(made);
    const demands = {
      concurrency: [],
      rateLimits: [],
      labels: [],
      desiredWorkerId: null,
      batch: { key: '', bytes: 1 },
    };
    made.trigger('one', 1, [{ demands, error: null }]);
    const sent = (): number => made.effects.filter(({ kind }) => kind === 'dispatchBatch').length;
    made.nowUs += 4_000_000;
    made.run({ kind: 'tick' });
    expect(sent()).toBe(0);
    made.nowUs += 1_000_000;
    made.run({ kind: 'tick' });
    expect(sent()).toBe(1);
  });

  it('keeps the order of all that comes, and tells no one of a time that has not come', () => {
    const made = new PlannerWorld();
    made.put(workflowOf('single', [stepOf('one')]));
    ahead(made);
    const ids = Array.from({ length: 5 }, () => {
      made.nowUs += 1_000_000;
      return made.trigger('single');
    });
    const [queue] = queueFigures(made.state, tenantId).rows;
    expect(queue?.oldestQueuedAt?.getTime()).toBeLessThanOrEqual(made.nowUs / 1000);
    made.register({ actions: ['wf:one'], slots: 10 });
    expect(made.effects.flatMap((effect) => (effect.kind === 'dispatch' ? [effect.taskId] : []))).toEqual(ids);
    const seqs = made.stored.history.map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  });
});
