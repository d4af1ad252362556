import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BranchPoint } from '../../../engine/model/durable/durable.ts';
import { inputBranchOf, oldestVisibleBranch } from '../../../engine/plan/durable/branch-points.ts';
import { branchOfNode } from '../../../engine/plan/durable/durable-log.ts';
import { ask, event, invocationOf, last, memo, setUp, sleep, wait, world } from '../../helpers/durable-desk.ts';
import { tenantId } from '../../helpers/planner-world.ts';

beforeEach(setUp);

function continueAsNew(taskId: string, invocation: number, input = '{"from":"before"}'): void {
  world.run({ kind: 'durableContinue', tenantId, workerId: null, taskId, invocation, input });
}

describe('a durable task that continues as new', () => {
  it('starts again in the same attempt, with its own input and an empty log', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(event('before')));
    continueAsNew(taskId, 1);
    expect(last('durableDismissed')).toMatchObject({ invocation: 1 });
    expect(invocationOf(taskId)).toBe(2);
    expect(last('dispatch')).toMatchObject({ taskId, invocation: 2, attempt: 0, inputBranch: 2 });
    expect(ask(taskId, memo('a'))).toMatchObject({ refs: [{ branch: 2, node: 1 }] });
    continueAsNew(taskId, 2);
    expect(last('dispatch')).toMatchObject({ invocation: 3, inputBranch: 3 });
    expect(ask(taskId, wait(sleep(1)))).toMatchObject({ refs: [{ branch: 3, node: 1 }] });
  });

  it('is said once: again, or by an invocation that is over, it changes nothing', () => {
    const taskId = world.trigger('long');
    ask(taskId, memo('a'));
    continueAsNew(taskId, 1);
    const before = world.effects.length;
    continueAsNew(taskId, 1, '{"another":true}');
    expect(world.effects).toHaveLength(before);
    expect(invocationOf(taskId)).toBe(2);
  });

  it('keeps its input on a branch from one of its nodes; on one from before, it has the run’s', () => {
    const taskId = world.trigger('long');
    ask(taskId, memo('before'));
    continueAsNew(taskId, 1);
    ask(taskId, memo('a'));
    world.run({ kind: 'durableBranch', tenantId, taskId, branch: 0, node: 1 });
    expect(last('dispatch')).toMatchObject({ invocation: 3, inputBranch: 2 });
    world.run({ kind: 'durableBranch', tenantId, taskId, branch: 1, node: 1 });
    expect(last('dispatch')).toMatchObject({ invocation: 4, inputBranch: null });
  });
});

/** A task that branched and continued at random. */
const histories = fc
  .array(fc.record({ parent: fc.nat(), first: fc.integer({ min: 1, max: 6 }), hasInput: fc.boolean() }), {
    maxLength: 12,
  })
  .map((steps) => {
    const points: BranchPoint[] = [];
    for (const { parent, first, hasInput } of steps)
      points.push({
        branch: points.length + 2,
        parent: 1 + (parent % (points.length + 1)),
        first: hasInput ? 1 : first,
        hasInput,
      });
    return points;
  });

it('no node of a branch older than the oldest visible one is seen', () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 1, max: 10 }), (points, node) => {
      const branch = points.at(-1)?.branch ?? 1;
      expect(branchOfNode(points, branch, node)).toBeGreaterThanOrEqual(oldestVisibleBranch(points));
    }),
  );
});

it('the input is that of the nearest ancestor with one of its own', () => {
  fc.assert(
    fc.property(histories, (points) => {
      const of = (branch: number): number | null => {
        const point = points.find((each) => each.branch === branch);
        return point === undefined ? null : point.hasInput ? branch : of(point.parent);
      };
      expect(inputBranchOf(points)).toBe(of(points.at(-1)?.branch ?? 1));
    }),
  );
});
