import { expect, it } from 'vitest';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { stepOf, workflowOf } from '../../helpers/planner-world.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const hourUs = 3_600_000_000;

const database = databaseFixture();

it('time that was an hour ahead once goes on when it is right again, in the same process and after a restart', async () => {
  let aheadUs = hourUs;
  const clock = { nowUs: () => Date.now() * 1000 + aheadUs };
  let world = await OwnerWorld.start(database.url, { clock });
  const { tenantId } = world;
  await world.owner.submit({
    kind: 'putWorkflow',
    tenantId,
    definition: workflowOf('single', [stepOf('one', { retries: 9, backoffFactor: 1, backoffMaxSeconds: 1 })]),
    checksum: 'c',
    workflowId: newId(),
    versionId: newId(),
    filterIds: [],
    crons: [],
  });
  const workerId = await world.register();
  const runId = await world.trigger();
  const failAndComeBack = async (): Promise<void> => {
    const taskOf = (): { state: number | undefined; attempt: number | undefined } => {
      const tasks = world.owner.stateOf(tenantId)?.tasks;
      const row = tasks?.find(runId) ?? -1;
      return { state: tasks?.state[row], attempt: tasks?.attempt[row] };
    };
    const attempt = taskOf().attempt ?? 0;
    await world.owner.submit({
      kind: 'failed',
      tenantId,
      taskId: runId,
      attempt,
      error: '{"message":"no"}',
      mayRetry: true,
    });
    expect(taskOf()).toEqual({ state: LiveState.Delayed, attempt: attempt + 1 });
    await expect
      .poll(taskOf, { timeout: 10_000, interval: 20 })
      .toEqual({ state: LiveState.Running, attempt: attempt + 1 });
  };
  await failAndComeBack();
  aheadUs = 0;
  await failAndComeBack();
  await world.owner.stop();
  world = await OwnerWorld.start(database.url, { clock, tenantId });
  await world.present(workerId);
  await failAndComeBack();
  await world.owner.stop();
});

it('a window of a rate limit that began an hour ahead ends in time, in the same process and after a restart', async () => {
  let aheadUs = hourUs;
  let stoppedUs: number | undefined;
  const clock = { nowUs: () => (stoppedUs ?? Date.now() * 1000) + aheadUs };
  let world = await OwnerWorld.start(database.url, { clock });
  const { tenantId } = world;
  await world.put();
  await world.owner.submit({ kind: 'putRateLimit', tenantId, key: 'api', limit: 1, window: 'SECOND' });
  const workerId = await world.register();
  const asks = { concurrency: [], labels: [], desiredWorkerId: null };
  const rateLimits = [{ key: 'api', units: 1, limit: null, window: 'SECOND' as const }];
  const trigger = (): Promise<string> =>
    world.trigger({ demands: [{ demands: { ...asks, rateLimits }, error: null }] });
  const stateOf = (taskId: string): number | undefined => {
    const tasks = world.owner.stateOf(tenantId)?.tasks;
    return tasks?.state[tasks.find(taskId) ?? -1];
  };
  const waitFor = async (taskId: string): Promise<void> =>
    expect.poll(() => stateOf(taskId), { timeout: 10_000, interval: 20 }).toBe(LiveState.Running);
  /** Two that ask for the one unit of a second. @returns the one that waits for the next */
  const second = async (): Promise<string> => {
    stoppedUs = Date.now() * 1000;
    await trigger();
    const waiting = await trigger();
    expect(stateOf(waiting)).toBe(LiveState.RateLimited);
    return waiting;
  };
  const setBack = (): void => {
    aheadUs = 0;
    stoppedUs = undefined;
  };

  let waiting = await second();
  setBack();
  world.owner.wakeForTimers(); // as whoever sees the step does
  await waitFor(waiting);

  aheadUs = hourUs;
  waiting = await second();
  await world.owner.stop();
  setBack();
  world = await OwnerWorld.start(database.url, { clock, tenantId });
  await world.present(workerId);
  await waitFor(waiting);
  await world.owner.stop();
});
