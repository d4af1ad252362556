import { expect, it } from 'vitest';
import { planCommand } from '../../../engine/plan/commands/command.ts';
import { noFacts } from '../../../engine/plan/commands/loaded-facts.ts';
import { settle } from '../../../engine/plan/settle/settle-tenants.ts';
import { ChangeSet } from '../../../engine/plan/state/change-set.ts';
import { collectLive } from '../../../engine/plan/state/live-rows.ts';
import { PlannerWorld, stepOf, tenantId, workflowOf } from '../../helpers/planner-world.ts';

/** A task that waits for an event, in the memory of one shard. */
function waiting(from: number): { made: PlannerWorld; taskId: string } {
  const made = new PlannerWorld({ like: '01900000-0000-7000-8000-000000000000', from });
  made.put(
    workflowOf('waits', [
      stepOf('only', {
        conditions: [
          { action: 'QUEUE', group: 0, expression: '', dataKey: 'd', kind: 'event', eventKey: 'go', scope: null },
        ],
      }),
    ]),
  );
  return { made, taskId: made.trigger('waits') };
}

it('stores the conditions of each shard that one transaction changes', () => {
  const shards = [waiting(0), waiting(1_000)];
  const changes = new ChangeSet();
  const plans = shards.map(({ made }) => ({ state: made.state, nowUs: made.nowUs + 1_000, changes }));
  for (const [index, plan] of plans.entries())
    planCommand<'pushEvent'>(
      plan,
      {
        kind: 'pushEvent',
        tenantId,
        events: [
          { id: shards[index]?.made.id() ?? '', key: 'go', scope: null, payload: '{}', metadata: '{}', runs: [] },
        ],
      },
      noFacts,
    );
  settle(plans);
  for (const plan of plans) collectLive(plan);
  expect(changes.waitDeletes).toEqual([]);
  expect(changes.waits.map(({ taskId, resolved }) => [taskId, resolved])).toEqual(
    shards.map(({ taskId }) => [taskId, '[{"index":0,"met":true,"data":"{}"}]']),
  );
});
