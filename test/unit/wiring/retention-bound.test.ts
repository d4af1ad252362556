import { afterEach, expect, it } from 'vitest';
import { dateIdsBy } from '../../../engine/model/ids/uuid.ts';
import { RetentionBound } from '../../../engine/wiring/retention-bound.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 0, 31, 12);

afterEach(() => dateIdsBy(() => Date.now()));

function idOf(ms: number): string {
  const time = ms.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000001`;
}

it('what is about to be dropped is not replayed or branched, unless it is unfinished', () => {
  dateIdsBy(() => nowMs);
  const world = new PlannerWorld({ like: idOf(Date.UTC(2026, 0, 1, 1)), from: 0 });
  world.put(workflowOf('single', [stepOf('one')]));
  const unfinished = world.trigger('single');
  const bound = new RetentionBound(10);
  const replay = (...ids: string[]): void => bound.check(world.state, { kind: 'replay', tenantId, ids });
  const kept = Date.UTC(2026, 0, 21);
  replay(idOf(kept), idOf(nowMs), unfinished);
  expect(() => replay(idOf(kept - 1))).toThrow(expect.objectContaining({ code: 'UNKNOWN_RUN' }));
  expect(() => replay(idOf(nowMs), idOf(nowMs - 20 * dayMs))).toThrow('10 days');
  expect(() =>
    bound.check(world.state, {
      kind: 'durableBranch',
      tenantId,
      taskId: idOf(kept - dayMs),
      branch: 0,
      node: 1,
    }),
  ).toThrow('being removed');
  // The day ends while the command is under way.
  dateIdsBy(() => Date.UTC(2026, 0, 31, 23, 30));
  expect(() => replay(idOf(kept + 1))).toThrow('being removed');
});
