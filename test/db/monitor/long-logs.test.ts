/** What a page of a tenant's log lines reads does not grow with the lines that are kept, nor with those of others. */
import { beforeAll, expect, it, vi } from 'vitest';
import { parseTenantId, type TenantId } from '../../../engine/model/ids/tenant-id.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { readTenantLog, type LogFilter } from '../../../engine/monitor/lines/tenant-logs.ts';
import { countLogPoints } from '../../../engine/monitor/points/log-points.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';

const database = databaseFixture();
const minuteMs = 60_000;
const untilMs = Math.floor(Date.now() / minuteMs) * minuteMs;
/** One of ten lines is the tenant's own. */
const tenants = Array.from({ length: 10 }, newId);
let own: TenantId;
let filter: LogFilter;

beforeAll(async () => {
  const found = parseTenantId(tenants[0] ?? '');
  if (found === undefined) throw new Error('a new id is no id');
  own = found;
  filter = { tenantId: own, attempt: null, levels: [], search: null, taskIds: [], workflowIds: [], steps: null };
});

/** Evenly over the hours before now, each of a task of its own. */
async function fill(lines: number): Promise<void> {
  await database.client.query(
    `INSERT INTO log_line (task_id, tenant_id, at, attempt, level, message, metadata)
     SELECT uuidv7(), ($1::uuid[])[1 + n % cardinality($1::uuid[])], $2::timestamptz - make_interval(secs => 86400.0 * n / $3), 0, n / 10 % 4, 'line ' || n, '{}'
     FROM generate_series(1, $3) n`,
    [tenants, new Date(untilMs), lines],
  );
  await database.client.query('VACUUM (ANALYZE) log_line');
}

interface Explained {
  'QUERY PLAN': { Plan: { 'Shared Hit Blocks': number; 'Shared Read Blocks': number } }[];
}

async function blocksOf(newestFirst: boolean): Promise<number> {
  const query = vi.spyOn(database.client, 'query');
  const day = { fromMs: untilMs - 24 * 60 * minuteMs, untilMs };
  await readTenantLog(database.client, filter, { ...day, newestFirst, limit: 50, bytes: 1e6 });
  const [sent]: unknown[] = query.mock.lastCall ?? [];
  query.mockRestore();
  const { text, values } = Object(sent);
  await database.client.query('SET enable_seqscan = off');
  const { rows } = await database.client.query<Explained>({
    text: `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${text}`,
    values,
  });
  const root = rows[0]?.['QUERY PLAN'][0]?.Plan;
  if (root === undefined) throw new Error('there is no plan');
  return root['Shared Hit Blocks'] + root['Shared Read Blocks'];
}

it('reads no more for a page where eight times as many lines are kept, from either end', async () => {
  await fill(4_000);
  const before = [await blocksOf(true), await blocksOf(false)];
  await fill(28_000);
  const after = [await blocksOf(true), await blocksOf(false)];
  for (const [at, blocks] of after.entries()) expect(blocks).toBeLessThanOrEqual(2 * (before[at] ?? 0));
});

it('counts each line once, in the point of its time', async () => {
  const widthMs = 30 * minuteMs;
  const fromMs = untilMs - 24 * 60 * minuteMs;
  const points = await countLogPoints(database.client, filter, { fromMs, untilMs, widthMs });
  const sums = [...points.values()].map(({ DEBUG, INFO, WARN, ERROR }) => DEBUG + INFO + WARN + ERROR);
  const { rows } = await database.client.query<{ count: number }>(
    'SELECT count(*)::integer FROM log_line WHERE tenant_id = $1 AND at >= $2 AND at < $3',
    [own, new Date(fromMs), new Date(untilMs)],
  );
  expect(sums.reduce((total, sum) => total + sum, 0)).toBe(rows[0]?.count);
  expect([...points.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 48 }, (_, place) => place));
  const quarter = await countLogPoints(database.client, { ...filter, levels: [3] }, { fromMs, untilMs, widthMs });
  for (const { DEBUG, INFO, WARN } of quarter.values()) expect([DEBUG, INFO, WARN]).toEqual([0, 0, 0]);
});
