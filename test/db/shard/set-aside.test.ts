import type { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { shardCount, shardOf } from '../../../engine/model/ids/shard-of.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { logLines } from '../../helpers/log-lines.ts';
import { insertTenant, liveRows, OwnerWorld } from '../../helpers/owner-world.ts';
import { stepOf, workflowOf } from '../../helpers/planner-world.ts';
import { databaseForTest, type DatabaseFixture } from '../../helpers/database-fixture.ts';
import { newTenantId } from '../../../engine/model/ids/tenant-id.ts';

let database: DatabaseFixture;
let client: Client;
let world: OwnerWorld | undefined;
let lines: Record<string, unknown>[];

beforeEach(async () => {
  database = await databaseForTest();
  ({ client } = database);
  await start();
  await world?.put();
});

afterEach(async () => {
  await world?.owner.stop();
  world = undefined;
});

async function start(): Promise<OwnerWorld> {
  const { log, lines: said } = logLines();
  lines = said;
  world = await OwnerWorld.make(database.url, { ...(world === undefined ? {} : { tenantId: world.tenantId }), log });
  await world.owner.start();
  return world;
}

/** The owner ends, `change` is done to what is stored, and the next owner begins. */
async function between(change: () => Promise<unknown>): Promise<OwnerWorld> {
  await world?.owner.stop();
  await change();
  return start();
}

function begun(): OwnerWorld {
  if (world === undefined) throw new Error('no owner');
  return world;
}

async function setAside(): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(
    `SELECT format('%s %s %s: %s', shard, kind, id, reason) AS line FROM set_aside ORDER BY kind, id`,
  );
  return rows.map((row) => row.line);
}

function saidOf(id: string): Record<string, unknown>[] {
  return lines.filter((line) => line['code'] === 'SET_ASIDE' && line['id'] === id);
}

describe('a row that cannot be read', () => {
  it('sets its task aside: the shard serves without it, and has it again once it can be read', async () => {
    const first = begun();
    const runs = await Promise.all(Array.from({ length: 5 }, () => first.trigger()));
    const bad = runs[2] ?? '';
    const stored = await liveRows(client, first.tenantId);
    const second = await between(() => client.query('UPDATE live SET state = 77 WHERE task_id = $1', [bad]));
    expect(second.memory()).toHaveLength(4);
    expect(second.memory().join()).not.toContain(bad);
    expect(await setAside()).toEqual([
      `${shardOf(first.tenantId)} task ${bad}: task ${bad} is in the unknown state 77: was this database written by a newer version?`,
    ]);
    expect(saidOf(bad)).toHaveLength(1);
    expect(saidOf(bad)[0]).toMatchObject({ kind: 'task', shard: shardOf(first.tenantId) });
    // The others go on, the row stays as it is.
    await second.register();
    await Promise.all(runs.filter((id) => id !== bad).map((id) => second.complete(id)));
    await second.trigger();
    expect((await client.query('SELECT state FROM live WHERE task_id = $1', [bad])).rows).toEqual([{ state: 77 }]);
    const third = await between(() =>
      client.query(`UPDATE live SET state = $2 WHERE task_id = $1`, [
        bad,
        stored.find((line) => line.startsWith(bad))?.split(' ')[1],
      ]),
    );
    expect(third.memory().join()).toContain(bad);
    expect(await setAside()).toEqual([]);
    await third.present([...(third.owner.stateOf(third.tenantId)?.workersById.keys() ?? [])][0] ?? '');
    await third.complete(bad);
  });

  it('takes its run with it: the end of a sibling does not pass it by', async () => {
    const first = begun();
    const versionId = newId();
    await first.owner.submit({
      kind: 'putWorkflow',
      tenantId: first.tenantId,
      definition: workflowOf('chain', [stepOf('one'), stepOf('two', { parents: [0] })]),
      checksum: 'chain',
      workflowId: newId(),
      versionId,
      filterIds: [],
      crons: [],
    });
    const ids = [newId(), newId(), newId()] as const;
    const [runId, parent, child] = ids;
    await first.trigger({ runId, taskIds: [parent, child], versionId });
    const second = await between(() => client.query('UPDATE live SET step = 9 WHERE task_id = $1', [child]));
    expect(second.memory()).toEqual([]);
    expect(await setAside()).toEqual([
      `${shardOf(first.tenantId)} task ${child}: task ${child} is of step 9, which its workflow does not have`,
    ]);
    const third = await between(() => client.query('UPDATE live SET step = 1 WHERE task_id = $1', [child]));
    expect(third.memory()).toHaveLength(2);
    await third.register(10, ['wf:one', 'wf:two']);
    await third.complete(parent);
    await third.complete(child);
    expect(third.memory()).toEqual([]);
    const ends = await client.query('SELECT status FROM run_end WHERE run_id = $1', [runId]);
    expect(ends.rows.length).toBeGreaterThan(0);
  });

  it.each([
    ['a definition', `UPDATE workflow_version SET definition = '{"name": "single"}'`, 'workflow version'],
    ['demands', `UPDATE live SET demands = 'no JSON'`, 'task'],
    ['a worker that is not there', `UPDATE live SET worker_id = '0198c0de-0000-7000-8000-000000000000'`, 'task'],
    ['a worker', `UPDATE worker SET slots = 'null'`, 'worker'],
    [
      'a cron',
      `INSERT INTO cron (id, tenant_id, workflow_id, name, expression, zone, catch_up, enabled, is_declared, input, metadata, next_us)
       SELECT gen_random_uuid(), tenant_id, id, 'c', '* * * * *', 'UTC', 'sometimes', true, false, '{}', '{}', 4e15 FROM workflow`,
      'cron',
    ],
    [
      'a rate limit',
      `INSERT INTO rate_limit (tenant_id, key, size, period, window_size, window_start_us, used, is_static)
       SELECT tenant_id, 'k', 1, 'FORTNIGHT', 1, 0, 0, true FROM workflow`,
      'rate limit',
    ],
  ])('may be %s', async (_, change, kind) => {
    const first = begun();
    await first.register(1);
    await first.trigger();
    const second = await between(() => client.query(change));
    expect((await setAside()).join('\n')).toContain(kind);
    // Whatever it was, the shard goes on.
    expect(second.shards).toBe(shardCount);
    const versionId = newId();
    await second.owner.submit({
      kind: 'putWorkflow',
      tenantId: second.tenantId,
      definition: workflowOf('another', [stepOf('one')]),
      checksum: 'another',
      workflowId: newId(),
      versionId,
      filterIds: [],
      crons: [],
    });
    await second.register();
    await second.complete(await second.trigger({ versionId }));
  });
});

describe('a shard that cannot be recovered', () => {
  it('is given back after the second failure and tried later, the others serve, and its grace is granted once', async () => {
    const first = begun();
    await first.trigger();
    let other = newTenantId();
    while (shardOf(other) === shardOf(first.tenantId)) other = newTenantId();
    await insertTenant(database.url, other);
    const shard = shardOf(first.tenantId);
    const second = await between(async () => {
      await client.query('ALTER TABLE schedule RENAME TO schedule_kept');
      // What no row can be blamed for: reading this tenant's fails.
      await client.query(
        `CREATE VIEW schedule AS SELECT id, tenant_id, workflow_id, due_us, run_id, error FROM schedule_kept
         UNION ALL SELECT t.id, t.id, t.id, 1 / (t.id <> '${first.tenantId}')::integer, NULL, NULL FROM tenant t WHERE t.id = '${first.tenantId}'`,
      );
    });
    expect(second.shards).toBe(shardCount - 1);
    await second.put(0, other);
    await second.trigger({ tenantId: other });
    const failures = (): Record<string, unknown>[] =>
      lines.filter((line) => line['shard'] === shard && 'fails' in line);
    await expect.poll(() => failures().length).toBe(3);
    expect(failures().map(({ fails, pauseMs }) => [fails, pauseMs])).toEqual([
      [2, 1_000],
      [3, 2_000],
      [4, 4_000],
    ]);
    await client.query('DROP VIEW schedule');
    await client.query('ALTER TABLE schedule_kept RENAME TO schedule');
    await expect.poll(() => second.shards).toBe(shardCount);
    expect(second.memory()).toHaveLength(1);
    const { rows } = await client.query<{ lost: string; absent: Date | null }>(
      'SELECT lost_us / 1000000 AS lost, absent_since AS absent FROM shard WHERE id = $1',
      [shard],
    );
    expect(rows[0]?.absent).toBeNull();
    expect(Number(rows[0]?.lost)).toBeGreaterThanOrEqual(30);
    // One grace of 30 s and the time itself; each attempt had granted one.
    expect(Number(rows[0]?.lost)).toBeLessThan(60);
  });
});
