import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runWithTasks } from '../../../engine/grpc/run-with-tasks.ts';
import { RunStatus } from '../../../engine/model/status.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { patient } from '../../helpers/patient.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/test-database.ts';

let database: TestDatabase;
let world: OwnerWorld;
/** Of one connection: who asks for it first has it first. */
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  world = await OwnerWorld.start(database.url);
  await world.put();
  await world.register();
  pool = new Pool({ connectionString: database.url, max: 1 });
});

afterAll(async () => {
  await pool.end();
  await world.owner.stop();
  await database.drop();
});

describe('a run with its tasks', () => {
  it.each([1, 2])('is COMPLETED with their outputs or not yet, where it ends after query %i', async (after) => {
    const runId = await world.trigger();
    const first = await pool.connect();
    const read = runWithTasks(pool, world.tenantId, runId);
    let release = (): void => first.release();
    for (let passed = 0; passed < after; passed++) {
      await vi.waitFor(() => expect(pool.waitingCount).toBe(1), { ...patient, interval: 1 });
      const next = pool.connect();
      release();
      const client = await next;
      release = () => client.release();
    }
    await world.complete(runId, 0, '{"n":1}');
    release();
    const { summary, detail } = await read;
    expect(summary.status).toBe(RunStatus.Completed);
    expect(detail).toMatchObject({ status: RunStatus.Completed, tasks: [{ output: '{"n":1}' }] });
  });
});
