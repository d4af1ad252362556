/**
 * Where the WAL of a task goes: `npm run bench:wal [tasks]`. No-op tasks are enqueued in bulk, then a worker starts and drains
 * them; each record that Postgres wrote meanwhile is read back (pg_walinspect) and counted for the table or index that it is about.
 * Needs a build. Prints one JSON object: bytes and records a task, by relation and kind of record, and microseconds of CPU a task.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { readCpu } from '../cli/commands/bench/cpu-usage.ts';
import { Hatchet } from '../sdk/index.ts';
import { endProcess, launchEngine } from './launch-engine.ts';
import { round } from './turns/round.ts';

const here = dirname(fileURLToPath(import.meta.url));
const tasks = Number(process.argv[2] ?? 20_000);
const warmUp = 2_000;
const body = 'x'.repeat(150);

/** A record is counted for the first page that it names; one that names none (a commit) for its kind alone. */
const recordsByRelation = `
  WITH named AS (
    SELECT DISTINCT ON (b.start_lsn) b.start_lsn, b.relfilenode, b.resource_manager, b.record_type, b.record_length AS bytes,
      sum(b.block_fpi_length) OVER (PARTITION BY b.start_lsn) AS images
    FROM pg_get_wal_block_info($1::pg_lsn, $2::pg_lsn) b
    ORDER BY b.start_lsn, b.block_id
  )
  SELECT relfilenode::text AS filenode, resource_manager || ' ' || record_type AS kind, count(*)::integer AS records, sum(bytes)::float8 AS bytes, sum(images)::float8 AS images
  FROM named GROUP BY 1, 2
  UNION ALL
  SELECT NULL, resource_manager || ' ' || record_type, count(*)::integer, sum(record_length)::float8, 0
  FROM pg_get_wal_records_info($1::pg_lsn, $2::pg_lsn) r WHERE coalesce(r.block_ref, '') = '' GROUP BY 1, 2`;

interface Counted {
  filenode: string | null;
  kind: string;
  records: number;
  bytes: number;
  images: number;
}

/** Without the day in a partition's name: all days of a table are one line. */
function withoutDay(name: string): string {
  return name.replace(/_(old_)?\d{8}/, '');
}

function startWorker(token: string): ChildProcess {
  return fork(join(here, 'sdk-drain-worker.mjs'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, HATCHET_CLIENT_TOKEN: token, HATCHET_CLIENT_LOG_LEVEL: 'OFF' },
  });
}

const dataDir = mkdtempSync(join(tmpdir(), 'hatchet-bench-'));
const engine = await launchEngine(dataDir);
const database = new Client({ connectionString: engine.databaseUrl });
await database.connect();
const apart = new URL(engine.databaseUrl);
apart.pathname = '/postgres';
const inspector = new Client({ connectionString: apart.href });
await inspector.connect();
await inspector.query('CREATE EXTENSION IF NOT EXISTS pg_walinspect');
const hatchet = Hatchet.init({ token: engine.token, logLevel: 'OFF' });
const noop = hatchet.task({ name: 'noop', fn: (input: { i: number; body: string }) => ({ i: input.i }) });

async function position(): Promise<string> {
  const { rows } = await inspector.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  return rows[0]?.lsn ?? '';
}

async function untilDrained(): Promise<void> {
  for (;;) {
    const { rows } = await database.query<{ left: number }>('SELECT count(*)::integer AS left FROM live');
    if (rows[0]?.left === 0) return;
    await delay(10);
  }
}

interface CpuUs {
  engine: number;
  postgres: number;
}

function cpuNow(): CpuUs {
  const { engine: engineUs = NaN, postgres = NaN } = readCpu({ enginePid: engine.child.pid, dataDir, workerPids: [] });
  return { engine: engineUs, postgres };
}

/** @returns where the WAL was before, between enqueueing and draining, and after; and the CPU of each of the two */
async function pass(count: number): Promise<{ lsn: string[]; cpuUs: CpuUs[] }> {
  const lsn = [await position()];
  const cpu = [cpuNow()];
  const mark = async (): Promise<void> => {
    lsn.push(await position());
    cpu.push(cpuNow());
  };
  await noop.runNoWait(Array.from({ length: count }, (_, i) => ({ i, body })));
  await mark();
  const worker = startWorker(engine.token);
  await once(worker, 'message');
  await untilDrained();
  await mark();
  await endProcess(worker);
  return {
    lsn,
    cpuUs: cpu.slice(1).map((after, at) => ({
      engine: Math.round((after.engine - (cpu[at]?.engine ?? NaN)) / count),
      postgres: Math.round((after.postgres - (cpu[at]?.postgres ?? NaN)) / count),
    })),
  };
}

const first = startWorker(engine.token);
await once(first, 'message');
await endProcess(first);
await pass(warmUp);
await inspector.query('CHECKPOINT');
const { lsn, cpuUs } = await pass(tasks);

const { rows: classes } = await database.query<{ filenode: string; name: string }>(
  `SELECT pg_relation_filenode(oid)::text AS filenode, relname AS name FROM pg_class WHERE pg_relation_filenode(oid) IS NOT NULL`,
);
const names = new Map(classes.map(({ filenode, name }) => [filenode, withoutDay(name)]));
const lines = new Map<string, { records: number; bytes: number; images: number }>();
const { rows } = await inspector.query<Counted>(recordsByRelation, [lsn[0], lsn[2]]);
for (const { filenode, kind, records, bytes, images } of rows) {
  const line = `${filenode === null ? '-' : (names.get(filenode) ?? 'others')}  ${kind}`;
  const before = lines.get(line) ?? { records: 0, bytes: 0, images: 0 };
  lines.set(line, { records: before.records + records, bytes: before.bytes + bytes, images: before.images + images });
}
const { rows: spans } = await inspector.query<{ all: number; enqueue: number }>(
  'SELECT ($3::pg_lsn - $1::pg_lsn)::float8 AS all, ($2::pg_lsn - $1::pg_lsn)::float8 AS enqueue',
  lsn,
);
const each = (value = NaN): number => round(value / tasks);
const { rows: journal } = await database.query<{ kinds: string; rows: number }>(
  'SELECT kinds, count(*)::integer AS rows FROM history GROUP BY 1 ORDER BY 2 DESC LIMIT 12',
);
const { rows: sizes } = await database.query<{ bytes: number }>(
  `SELECT sum(pg_total_relation_size(oid))::float8 AS bytes FROM pg_class WHERE relkind = 'r' AND relname ~ '^(run|task|result|run_end|history)_[0-9]{8}$'`,
);
process.stdout.write(
  `${JSON.stringify(
    {
      tasks,
      walBytes: each(spans[0]?.all),
      ofEnqueueing: each(spans[0]?.enqueue),
      storedBytes: round((sizes[0]?.bytes ?? NaN) / (tasks + warmUp)),
      cpuUs: { enqueue: cpuUs[0], drain: cpuUs[1] },
      journal: Object.fromEntries(journal.map((row) => [row.kinds, row.rows])),
      relations: Object.fromEntries(
        [...lines]
          .sort(([, a], [, b]) => b.bytes - a.bytes)
          .filter(([, line]) => line.bytes / tasks >= 0.5)
          .map(([name, line]) => [
            name,
            `${each(line.bytes)} B in ${each(line.records)} records, images ${each(line.images)}`,
          ]),
      ),
    },
    null,
    1,
  )}\n`,
);
hatchet.close();
await inspector.end();
await database.end();
await endProcess(engine.child);
rmSync(dataDir, { recursive: true, force: true });
