import { beforeEach, expect, it } from 'vitest';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import type { CommandByKind, CommandKind } from '../../../engine/plan/commands/command.ts';
import { ask, event, evict, setUp, sleep, stateOf, status, wait, world } from '../../helpers/durable-desk.ts';
import { tenantId } from '../../helpers/planner-world.ts';

beforeEach(setUp);

/** A task that has left its worker, and waits. */
function sleeper(...conditions: Parameters<typeof wait>): string {
  const taskId = world.trigger('long');
  ask(taskId, wait(...conditions));
  status(taskId, 1);
  evict(taskId);
  expect(stateOf(taskId)).toBe(LiveState.Evicted);
  return taskId;
}

/** What a transaction plans after the end of the task, whose log is in memory still. */
function endsFor(taskId: string, command: CommandByKind[CommandKind]): void {
  world.runTogether([{ kind: 'cancel', tenantId, ids: [taskId] }, command]);
  expect(
    world.stored.history
      .filter((row) => row.taskId === taskId)
      .flatMap(({ transitions }) => transitions)
      .slice(-3),
  ).toEqual(['DURABLE_EVICTED', 'CANCELLED', 'RUN_CANCELLED']);
  expect(world.stored.live.has(taskId)).toBe(false);
  expect(stateOf(taskId)).toBeUndefined();
  expect(world.broken()).toBeUndefined();
}

it('a cancelled task is not woken by an event of the same transaction', () => {
  const taskId = sleeper(event('go'));
  endsFor(taskId, {
    kind: 'pushEvent',
    tenantId,
    events: [{ id: world.id(), key: 'go', scope: null, payload: '{}', metadata: '{}', runs: [] }],
  });
});

it('a cancelled task is not woken by a sleep that is over in the same transaction', () => {
  const taskId = sleeper(sleep(5));
  world.nowUs += 6_000_000;
  endsFor(taskId, { kind: 'tick' });
});
