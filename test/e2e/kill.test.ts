import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { replayJournal } from '../../engine/model/journal.ts';
import { newId } from '../../engine/model/uuid.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';
import { ended, packageRoot, spawnEngine, type EngineChild } from '../helpers/engine-process.ts';
import { GrpcClients } from '../helpers/grpc-client.ts';
import { Outages } from '../helpers/outages.ts';
import { randomFrom } from '../helpers/random.ts';

const kills = 21;
const inFlight = 1000;
const folder = makeTempFolder('kill');
const bodies = join(folder, 'bodies.log');
const dataDir = join(folder, 'data');

/**
 * For so long the published SDK goes on reporting a result that is not taken: 8 tries with 12.7 s of pauses. Then it reports a
 * failure instead, whose text is why the result was not taken.
 */
const sdkPatienceMs = 12_700;
const sdkGaveUp = /^"?\/Dispatcher\/SendStepActionEvent UNAVAILABLE: /;

interface Fleet {
  engine: EngineChild;
  workers: ChildProcess[];
  killedWorkers: Set<number>;
}

let fleet: Fleet | undefined;
let outages: Outages | undefined;

afterAll(async () => {
  await outages?.stop();
  for (const worker of fleet?.workers ?? []) {
    worker.kill('SIGKILL');
    await ended(worker);
  }
  await fleet?.engine.end('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

function startWorker(engine: EngineChild): ChildProcess {
  return spawn(process.execPath, [join(packageRoot, 'test/fixtures/kill/worker.mjs'), bodies], {
    cwd: packageRoot,
    stdio: 'ignore',
    env: {
      ...process.env,
      HATCHET_CLIENT_TOKEN: engine.ready.token,
      HATCHET_CLIENT_TLS_STRATEGY: 'none',
      HATCHET_CLIENT_LOG_LEVEL: 'ERROR',
    },
  });
}

function postgresPid(): number {
  const record: unknown = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8'));
  const cluster = typeof record === 'object' && record !== null && 'folder' in record ? String(record.folder) : '';
  return Number(readFileSync(resolve(dataDir, cluster, 'postmaster.pid'), 'utf8').split('\n')[0]);
}

/** Triggers until it is acknowledged: the id is the caller's, so a repeat is the same run. */
async function triggerSurely(clients: GrpcClients, n: number, ms: number): Promise<string> {
  const runId = newId();
  for (;;) {
    try {
      const request = {
        workflowName: 'work',
        input: Buffer.from(JSON.stringify({ n, ms })),
        additionalMetadata: Buffer.from('{}'),
        desiredWorkerLabels: {},
      };
      const reply = await clients.call(clients.admin, clients.admin.triggerWorkflowRun, request, {
        'hatchet-run-id': runId,
      });
      return reply.externalId;
    } catch (error) {
      // Repeated, never slept away: the call itself waits for the engine up to its parking time.
      if (!(error instanceof Error)) throw error;
      await delay(50);
    }
  }
}

async function untilWorkflow(clients: GrpcClients): Promise<void> {
  await expect
    .poll(
      () =>
        clients.call(clients.monitor, clients.monitor.getWorkflow, { name: 'work' }).then(
          (reply) => reply.workflow?.name,
          () => 'none',
        ),
      { timeout: 30_000, interval: 100 },
    )
    .toBe('work');
}

async function sql<T extends object>(url: string, text: string, values: unknown[]): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(text, values)).rows;
  } finally {
    await client.end();
  }
}

describe('kill -9 of anything', () => {
  it('loses nothing and doubles nothing', async () => {
    const seed = Number(process.env['SEED'] ?? 7_077);
    const random = randomFrom(seed);
    writeFileSync(bodies, '');
    const options = { dataDir, grpcPort: 0, httpPort: 0, workerTimeoutMs: 12_000, logLevel: 'warn' } as const;
    let engine = await spawnEngine(options);
    const fixed = { ...options, grpcPort: engine.ready.grpc.port, httpPort: engine.ready.http.port };
    fleet = {
      engine,
      workers: [startWorker(engine), startWorker(engine), startWorker(engine)],
      killedWorkers: new Set(),
    };
    const clients = new GrpcClients(engine.ready.grpc, engine.ready.token);
    await untilWorkflow(clients);
    outages = new Outages(
      () => clients.call(clients.monitor, clients.monitor.getWorkflow, { name: 'work' }),
      sdkPatienceMs,
    );

    const acknowledged: string[] = [];
    const counts = { worker: 0, engine: 0, postgres: 0 };
    let n = 0;
    const topUp = async (): Promise<void> => {
      const [row] = await sql<{ live: number }>(
        engine.ready.databaseUrl,
        'SELECT count(*)::integer AS live FROM live',
        [],
      );
      const missing = inFlight - (row?.live ?? 0);
      const triggers = Array.from({ length: Math.max(0, missing) }, () =>
        triggerSurely(clients, n++, 200 + Math.floor(random() * 1500)),
      );
      acknowledged.push(...(await Promise.all(triggers)));
    };
    await topUp();
    for (let kill = 0; kill < kills; kill++) {
      // Triggers go on while things die.
      const during = Array.from({ length: 10 }, () => triggerSurely(clients, n++, 300));
      await delay(Math.floor(random() * 1500)); // the random point at which the axe falls
      const victim = (['worker', 'engine', 'postgres'] as const)[Math.floor(random() * 3)] ?? 'worker';
      counts[victim]++;
      if (victim === 'worker') {
        const at = Math.floor(random() * fleet.workers.length);
        const [worker] = fleet.workers.splice(at, 1);
        worker?.kill('SIGKILL');
        fleet.killedWorkers.add(worker?.pid ?? 0);
        fleet.workers.push(startWorker(engine));
      } else if (victim === 'engine') {
        await engine.end('SIGKILL');
        engine = await spawnEngine(fixed);
        fleet.engine = engine;
      } else {
        process.kill(postgresPid(), 'SIGKILL');
      }
      acknowledged.push(...(await Promise.all(during)));
      await expect
        .poll(
          () =>
            topUp().then(
              () => true,
              () => false,
            ),
          { timeout: 30_000, interval: 200 },
        )
        .toBe(true);
    }
    await expect
      .poll(
        () =>
          sql<{ live: number }>(engine.ready.databaseUrl, 'SELECT count(*)::integer AS live FROM live', []).then(
            (rows) => rows[0]?.live,
            () => -1,
          ),
        { timeout: 240_000, interval: 500 },
      )
      .toBe(0);

    await outages.stop();
    const results = await sql<{
      id: string;
      results: number;
      ends: number;
      status: number;
      output: string;
      error: string | null;
      failedMs: number | null;
      kinds: string[];
    }>(
      engine.ready.databaseUrl,
      `SELECT r.id, (SELECT count(*)::integer FROM result x WHERE x.task_id = r.id) AS results, (SELECT count(*)::integer FROM run_end e WHERE e.run_id = r.id) AS ends,
         (SELECT max(x.status) FROM result x WHERE x.task_id = r.id) AS status, (SELECT max(x.output) FROM result x WHERE x.task_id = r.id) AS output,
         (SELECT max(x.error) FROM result x WHERE x.task_id = r.id) AS error, (SELECT max(h.seq / 1000)::float8 FROM history h WHERE h.task_id = r.id AND h.kinds LIKE '%X%') AS "failedMs",
         (SELECT array_agg(h.kinds ORDER BY h.seq) FROM history h WHERE h.task_id = r.id) AS kinds
       FROM run r`,
      [],
    );
    const byId = new Map(results.map((row) => [row.id, row]));
    const ran = new Map<string, { attempt: number; pid: number }[]>();
    for (const line of readFileSync(bodies, 'utf8').trim().split('\n')) {
      const [taskId = '', attempt, pid] = line.split(' ');
      ran.set(taskId, [...(ran.get(taskId) ?? []), { attempt: Number(attempt), pid: Number(pid) }]);
    }
    const { long } = outages;
    /** The worker had a result and could not hand it over: only where nothing answered for that long. */
    const wasGivenUp = ({ status, error, failedMs }: (typeof results)[number]): boolean =>
      status === 4 &&
      sdkGaveUp.test(error ?? '') &&
      long.some(({ fromMs }) => (failedMs ?? 0) >= fromMs + sdkPatienceMs);
    const givenUp = new Set(results.filter(wasGivenUp).map(({ id }) => id));
    const repeated = [...ran.values()].filter((runs) => runs.length > 1).length;
    process.stdout.write(
      `kill -9: seed ${seed}, kills ${kills} (worker ${counts.worker}, engine ${counts.engine}, postgres ${counts.postgres}), acknowledged ${acknowledged.length}, runs ${results.length}, bodies ${[...ran.values()].flat().length}, run again after their worker died ${repeated}, given up by the SDK ${givenUp.size} after outages of ${long.map(({ fromMs, toMs }) => toMs - fromMs).join(', ') || 'no such length'}\n`,
    );
    const wrong: string[] = [];
    for (const id of acknowledged) {
      const row = byId.get(id);
      if (row === undefined) wrong.push(`${id} was acknowledged but is gone`);
      else if (row.results !== 1 || row.ends !== 1 || (row.status !== 3 && !givenUp.has(id)))
        wrong.push(`${id}: ${row.results} results, ${row.ends} ends, status ${row.status} ${row.error ?? ''}`);
      else if (row.kinds.join('').split(row.status === 3 ? 'F' : 'X').length !== 2)
        wrong.push(`${id}: journal ${row.kinds.join(' ')}`);
      else if (replayJournal(row.kinds) !== row.status)
        wrong.push(`${id}: journal ${row.kinds.join(' ')} does not give ${row.status}`);
      const runs = ran.get(id) ?? [];
      const surviving = runs.filter((run) => !(fleet?.killedWorkers.has(run.pid) ?? false));
      if (surviving.length > 1) wrong.push(`${id}: ran ${surviving.length} times on workers that lived`);
      if (runs.length === 0) wrong.push(`${id}: never ran`);
      if (new Set(runs.map((run) => run.attempt)).size !== runs.length) wrong.push(`${id}: the same attempt ran twice`);
    }
    expect(wrong).toEqual([]);
    expect(new Set(acknowledged).size).toBe(acknowledged.length);
    expect(results.length).toBe(acknowledged.length);
    clients.close();
  }, 600_000);
});
