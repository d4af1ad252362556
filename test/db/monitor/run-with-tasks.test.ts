import { Client, type Pool } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { exportRuns } from '../../../engine/grpc/runs/run-export.ts';
import { emptyFilter } from '../../../engine/grpc/runs/run-filter.ts';
import { runWithTasks } from '../../../engine/grpc/runs/run-with-tasks.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import { readRunDetail } from '../../../engine/monitor/runs/run-detail.ts';
import { replayIds } from '../../../engine/bulk/replay-ids.ts';
import { OwnerWorld } from '../../helpers/owner-world.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const database = databaseFixture();
let world: OwnerWorld;
let pool: Pool;

beforeAll(async () => {
  world = await OwnerWorld.start(database.url);
  await world.put();
  await world.register();
  ({ pool } = database);
});

afterEach(() => {
  vi.restoreAllMocks();
});

afterAll(() => world.owner.stop());

const output = '{"n":1}';

/** @param what happens once Postgres has answered a statement of this name; the reader gets its answer after that */
function after(statement: string, what: () => Promise<unknown>): void {
  const query = Client.prototype.query;
  let happened: Promise<unknown> | undefined;
  vi.spyOn(Client.prototype, 'query').mockImplementation(function (this: Client, ...args: unknown[]) {
    const [config, last] = [args[0], args.at(-1)];
    const isIt =
      happened === undefined &&
      typeof config === 'object' &&
      config !== null &&
      Reflect.get(config, 'name') === statement;
    // The pool's own way to ask is by callback.
    if (isIt && typeof last === 'function')
      args[args.length - 1] = (...answer: unknown[]) =>
        (happened = what()).then(() => Reflect.apply(last, undefined, answer));
    const result: unknown = Reflect.apply(query, this, args);
    return isIt && result instanceof Promise
      ? result.then(async (answer: unknown) => (await (happened = what()), answer))
      : result;
  });
}

describe('a run with its tasks', () => {
  it.each(['read_runs', 'read_tasks'])(
    'is COMPLETED with their outputs or not yet, where it ends after the statement %s',
    async (statement) => {
      const runId = await world.trigger();
      after(statement, () => world.complete(runId, 0, output));
      const { summary, detail } = (await runWithTasks(pool, world.tenantId, runId)).value;
      expect(detail).toMatchObject({ status: summary.status, tasks: [{ status: summary.status, output: null }] });
      expect((await runWithTasks(pool, world.tenantId, runId)).value.detail).toMatchObject({
        status: RunStatus.Completed,
        tasks: [{ output }],
      });
    },
  );

  it.each(['read_runs', 'read_tasks'])(
    'is COMPLETED with their outputs, where it is replayed after the statement %s',
    async (statement) => {
      const runId = await world.trigger();
      await world.complete(runId, 0, output);
      after(statement, () => replayIds(world.owner, world.tenantId, [runId]));
      const { summary, detail } = (await runWithTasks(pool, world.tenantId, runId)).value;
      expect(summary.status).toBe(RunStatus.Completed);
      expect(detail).toMatchObject({ status: RunStatus.Completed, tasks: [{ status: RunStatus.Completed, output }] });
      expect((await runWithTasks(pool, world.tenantId, runId)).value.summary.status).not.toBe(RunStatus.Completed);
    },
  );

  it('is so in other reads of its details', async () => {
    const runId = await world.trigger();
    await world.complete(runId, 0, output);
    after('read_runs', () => replayIds(world.owner, world.tenantId, [runId]));
    expect(await readRunDetail(pool, world.tenantId, runId, { bytes: 1000, data: true })).toMatchObject({
      status: RunStatus.Completed,
      tasks: [{ output }],
    });
  });

  it('is so in exports', async () => {
    const runId = await world.trigger();
    await world.complete(runId, 0, output);
    after('list_runs', () => replayIds(world.owner, world.tenantId, [runId]));
    const { value } = await exportRuns(pool, { ...emptyFilter(world.tenantId), sinceId: runId, limit: 1 }, 1).next();
    expect(value).toMatchObject({ value: [{ tasks: [{ output }] }] });
  });
});
