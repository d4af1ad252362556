import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LiveState } from '../../../engine/model/task/live-state.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { stepOf, workflowOf } from '../../helpers/planner-world.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/test-database.ts';

const hourUs = 3_600_000_000;

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

it('time that was an hour ahead once goes on when it is right again, in the same process and after a restart', async () => {
  let aheadUs = hourUs;
  const clock = { nowUs: () => Date.now() * 1000 + aheadUs };
  let world = await OwnerWorld.start(database.url, { clock });
  const { tenantId } = world;
  await world.owner.submit(tenantId, {
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
    await world.owner.submit(tenantId, {
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
