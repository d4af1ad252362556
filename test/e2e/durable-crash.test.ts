import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ended, packageRoot, type EngineChild } from '../helpers/engine-process.ts';
import { freePort } from '../helpers/free-port.ts';
import { GrpcClients } from '../helpers/grpc-client.ts';
import { HoldingProxy } from '../helpers/holding-proxy.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';
import { spawnInTopology } from '../helpers/topology.ts';

/**
 * A durable task of a dozen operations, killed at every second transaction that writes to its log. A trigger of the test's own
 * stops the transaction before its commit; then a process is killed, either before the commit or after it with the answer
 * kept back. `DURABLE_CRASH=all` kills each of the three both ways at every transaction.
 */
const everything = process.env['DURABLE_CRASH'] === 'all';
const victims = ['worker', 'engine', 'postgres'] as const;
const ways = ['before the commit', 'between commit and answer'] as const;
const gateKey = 4242;

const crashPoints = `
  CREATE TABLE crash_seen (n integer NOT NULL);
  INSERT INTO crash_seen VALUES (0);
  CREATE TABLE crash_at (n integer NOT NULL);
  INSERT INTO crash_at VALUES (0);
  CREATE FUNCTION crash_point() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE seen integer;
  BEGIN
    UPDATE crash_seen SET n = n + 1 RETURNING n INTO seen;
    IF seen = (SELECT n FROM crash_at) THEN PERFORM pg_advisory_xact_lock_shared(${gateKey}); END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER crash_entry AFTER INSERT ON durable_entry FOR EACH STATEMENT EXECUTE FUNCTION crash_point();
  CREATE TRIGGER crash_result AFTER INSERT ON durable_result FOR EACH STATEMENT EXECUTE FUNCTION crash_point();`;

const folder = makeTempFolder('durable-crash');
const notes = join(folder, 'notes');
let options: { dataDir: string; grpcPort: number; httpPort: number; workerTimeoutMs: number; logLevel: 'error' };
let engine: EngineChild;
let proxy: HoldingProxy;
let worker: ChildProcess;
let clients: GrpcClients;

function startWorker(): ChildProcess {
  const { token, http } = engine.ready;
  const env = {
    ...process.env,
    HATCHET_CLIENT_TOKEN: token,
    HATCHET_CLIENT_HOST_PORT: `127.0.0.1:${proxy.port}`,
    HATCHET_CLIENT_API_URL: `http://127.0.0.1:${http.port}`,
    HATCHET_CLIENT_TLS_STRATEGY: 'none',
    HATCHET_CLIENT_LOG_LEVEL: 'OFF',
  };
  return spawn(process.execPath, [join(packageRoot, 'test/fixtures/durable-crash/worker.mjs'), notes], {
    cwd: packageRoot,
    stdio: 'ignore',
    env,
  });
}

async function database(): Promise<Client> {
  const client = new Client({ connectionString: engine.ready.databaseUrl });
  client.on('error', () => undefined); // it is killed on purpose
  await client.connect();
  return client;
}

async function one<Row extends Record<string, unknown>>(sql: string, values: unknown[] = []): Promise<Row | undefined> {
  const client = await database();
  try {
    return (await client.query<Row>(sql, values)).rows[0];
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  writeFileSync(notes, '');
  options = {
    dataDir: join(folder, 'data'),
    grpcPort: await freePort(),
    httpPort: await freePort(),
    workerTimeoutMs: 6_000,
    logLevel: 'error',
  };
  engine = await spawnInTopology(options);
  const setUp = await database();
  await setUp.query(crashPoints);
  await setUp.end();
  proxy = await HoldingProxy.start(options.grpcPort);
  worker = startWorker();
  clients = new GrpcClients(engine.ready.grpc, engine.ready.token);
});

afterAll(async () => {
  clients.close();
  worker.kill('SIGKILL');
  await ended(worker);
  await proxy.stop();
  await engine.end('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

async function trigger(scope: string): Promise<string> {
  return vi.waitFor(
    async () => {
      await clients.call(clients.events, clients.events.push, {
        key: 'crash',
        payload: '{"came":true}',
        eventTimestamp: new Date(),
        scope,
      });
      const { externalId } = await clients.call(clients.admin, clients.admin.triggerWorkflowRun, {
        workflowName: 'mixed',
        input: Buffer.from(JSON.stringify({ scope })),
        additionalMetadata: Buffer.from('{}'),
        desiredWorkerLabels: {},
      });
      return externalId;
    },
    { timeout: 30_000, interval: 100 },
  );
}

/** @returns its output, once it has ended */
async function outcome(runId: string): Promise<Record<string, unknown>> {
  const found = await vi.waitFor(
    async () => {
      const run = await clients.call(clients.admin, clients.admin.getRunDetails, { externalId: runId });
      if (!run.done) throw new Error('it has not ended');
      return run;
    },
    { timeout: 60_000, interval: 50 },
  );
  const [task] = Object.values(found.taskRuns);
  expect(task?.error).toBeUndefined();
  const output: Record<string, unknown> = JSON.parse(Buffer.from(task?.output ?? '').toString());
  return output;
}

async function kill(victim: (typeof victims)[number]): Promise<void> {
  if (victim === 'worker') {
    worker.kill('SIGKILL');
    await ended(worker);
  } else if (victim === 'engine') await engine.end('SIGKILL');
  else {
    const [postmaster] = readFileSync(join(await dataFolder(), 'postmaster.pid'), 'utf8').split('\n');
    process.kill(Number(postmaster), 'SIGKILL');
  }
}

let postgresFolder: string | undefined;
async function dataFolder(): Promise<string> {
  postgresFolder ??= (await one<{ data_directory: string }>('SHOW data_directory'))?.data_directory ?? '';
  return postgresFolder;
}

async function revive(victim: (typeof victims)[number]): Promise<void> {
  if (victim === 'worker') worker = startWorker();
  else if (victim === 'engine') engine = await spawnInTopology(options);
}

/** Stops the run at its n-th transaction, kills, and lets everything come back. @returns whether there was such a transaction */
async function crash(
  n: number,
  victim: (typeof victims)[number],
  way: (typeof ways)[number],
): Promise<{ runId: string; reached: boolean }> {
  await dataFolder();
  const gate = await database();
  await gate.query('UPDATE crash_seen SET n = 0');
  await gate.query('UPDATE crash_at SET n = $1', [n]);
  await gate.query('SELECT pg_advisory_lock($1)', [gateKey]);
  const runId = await trigger(`${n} ${victim} ${way}`);
  const stopped = `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = ${gateKey} AND NOT granted) AS waits, EXISTS (SELECT 1 FROM result WHERE task_id = $1) AS ended`;
  const reached = await vi.waitFor(
    async () => {
      const { rows } = await gate.query<{ waits: boolean; ended: boolean }>(stopped, [runId]);
      if (rows[0]?.waits !== true && rows[0]?.ended !== true) throw new Error('it has not come to the transaction');
      return rows[0].waits;
    },
    { timeout: 60_000, interval: 5 },
  );
  const open = async (): Promise<unknown> =>
    gate.query('SELECT pg_advisory_unlock($1)', [gateKey]).catch(() => undefined);
  if (reached && way === 'before the commit') {
    await kill(victim);
    await open();
  } else if (reached) {
    proxy.hold();
    await open();
    // The commit is there for others to see.
    await vi.waitFor(
      async () =>
        expect((await gate.query<{ n: number }>('SELECT n FROM crash_seen')).rows[0]?.n).toBeGreaterThanOrEqual(n),
      { timeout: 20_000, interval: 2 },
    );
    await kill(victim);
    proxy.drop();
  }
  await gate.end().catch(() => undefined);
  if (reached) await revive(victim);
  return { runId, reached };
}

async function check(runId: string): Promise<void> {
  const output = await outcome(runId);
  expect(output).toMatchObject({
    one: { doubled: 2 },
    two: { doubled: 4 },
    many: [{ doubled: 6 }, { doubled: 8 }],
    raced: { came: true },
  });
  const children = await one<{ n: number; distinct: number }>(
    'SELECT count(*)::integer AS n, count(DISTINCT id)::integer AS distinct FROM run WHERE parent_task_id = $1',
    [runId],
  );
  expect(children).toEqual({ n: 4, distinct: 4 });
  // What a memo gave is what its commit holds, and after that commit its function never ran again.
  const client = await database();
  const { rows } = await client.query<{ payload: string; at_ms: string }>(
    `SELECT r.payload, r.seq / 1000 AS at_ms FROM durable_entry e JOIN durable_result r USING (task_id, branch, node) WHERE e.task_id = $1 AND e.kind = 3`,
    [runId],
  );
  const sleeps = await client.query<{ n: number }>(
    `SELECT count(*)::integer AS n FROM durable_entry WHERE task_id = $1 AND asked LIKE '%"sleep"%'`,
    [runId],
  );
  await client.end();
  expect(sleeps.rows[0]?.n).toBe(3);
  for (const name of ['first', 'second']) {
    const runs = readFileSync(notes, 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([id, memo]) => id === runId && memo === name);
    const committed = rows.find((row) => row.payload === JSON.stringify(output[name]));
    expect(committed).toBeDefined();
    expect(runs.map(([, , value]) => value)).toContain(output[name]);
    for (const [, , , ranAtMs] of runs) expect(Number(ranAtMs)).toBeLessThanOrEqual(Number(committed?.at_ms) + 1);
  }
}

describe('a durable task of a dozen operations', () => {
  it('ends the same, whoever is killed at whichever transaction of its log', async () => {
    const counts: Record<string, number> = {};
    let points = 0;
    const stride = everything ? 1 : 2;
    for (let n = 1; ; n += stride) {
      const turn = (n - 1) / stride;
      const plan = everything
        ? victims.flatMap((victim) => ways.map((way) => ({ victim, way })))
        : [{ victim: victims[turn % 3] ?? 'worker', way: ways[Math.floor(turn / 3) % 2] ?? 'before the commit' }];
      let last = false;
      for (const { victim, way } of plan) {
        const { runId, reached } = await crash(n, victim, way);
        await check(runId);
        if (reached) counts[`${victim} ${way}`] = (counts[`${victim} ${way}`] ?? 0) + 1;
        else last = true;
      }
      if (last) break;
      points = n;
    }
    process.stdout.write(`durable crash points: ${points} transactions, kills ${JSON.stringify(counts)}\n`);
    expect(points).toBeGreaterThan(20 - stride);
  }, 1_200_000);
});
