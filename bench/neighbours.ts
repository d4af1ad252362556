/**
 * What a tenant feels of another in its shard that does its worst: loops in expressions, values that must be refused, inputs
 * of 4 MiB, a thousand streams. Prints one JSON object: trigger latency alone and beside each, and what was lost.
 * `npm run bench:neighbours [seconds a phase]`. Needs a build.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Pool } from 'pg';
import { KeyRing } from '../engine/auth/key-ring.ts';
import { ensureTenant } from '../engine/auth/tenants.ts';
import { Tokens } from '../engine/auth/tokens.ts';
import { shardOf } from '../engine/model/ids/shard-of.ts';
import { endProcess, launchEngine } from './launch-engine.ts';
import { TenantClient } from './tenant-client.ts';
import { newTenantId } from '../engine/model/ids/tenant-id.ts';

const seconds = Number(process.argv[2] ?? 10);
/** Of the quiet tenant. */
const perSecond = 50;
/** What `loud-tenant.ts` can do. */
const worst = ['loopingExpressions', 'poison', 'largePayloads', 'thousandStreams'] as const;

function figures(took: readonly number[]): { p50: number; p99: number; longest: number } {
  const sorted = [...took].sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
  return { p50: at(0.5), p99: at(0.99), longest: at(1) };
}

// In memory where there is some: a disk that others use too stalls for 0.3 s at times, whoever is the neighbour.
const dataDir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'hatchet-neighbours-'));
const engine = await launchEngine(dataDir);
const pool = new Pool({ connectionString: engine.databaseUrl });
try {
  const quiet = new TenantClient(engine.address, engine.token);
  const home = (await ensureTenant(pool, 'default')).id;
  let loudId = newTenantId();
  while (shardOf(loudId) !== shardOf(home)) loudId = newTenantId();
  await pool.query('INSERT INTO tenant (id, name) VALUES ($1, $2)', [loudId, 'loud']);
  const tokens = new Tokens(pool, await KeyRing.open(pool, { dataDir }));
  const loudToken = await tokens.create({
    tenantId: loudId,
    name: 'loud',
    addresses: { serverUrl: '', grpcBroadcastAddress: engine.address },
  });
  const loud = fork(join(dirname(fileURLToPath(import.meta.url)), 'loud-tenant.ts'), [engine.address, loudToken]);
  await once(loud, 'message');
  // It stands for another machine: what it computes itself goes second for the cores of this one.
  if (loud.pid !== undefined) setPriority(loud.pid, 10);
  await quiet.putWorkflow('quiet');

  const acknowledged: string[] = [];
  const measure = async (beside: readonly string[] = []): Promise<number[]> => {
    loud.send({ start: beside });
    if (beside.length > 0) await delay(1_000);
    const took: number[] = [];
    const calls: Promise<void>[] = [];
    const startedAt = performance.now();
    for (let n = 0; n < seconds * perSecond; n++) {
      await delay(Math.max(0, startedAt + (n * 1000) / perSecond - performance.now()));
      const sentAt = performance.now();
      calls.push(
        quiet.trigger('quiet').then((runId) => {
          took.push(performance.now() - sentAt);
          acknowledged.push(runId);
        }),
      );
    }
    await Promise.all(calls);
    const stopped = once(loud, 'message');
    loud.send({});
    await stopped;
    return took;
  };
  await measure();
  await measure(); // the first phase warms up
  // Alone before each phase: a stall of the machine stands in all of them, or in none.
  const aloneTook: number[] = [];
  const besideTook: [name: string, took: number[]][] = [];
  for (const [name, beside] of [...worst.map((one) => [one, [one]] as const), ['allAtOnce', worst] as const]) {
    aloneTook.push(...(await measure()));
    besideTook.push([name, await measure(beside)]);
    await delay(2_000);
  }
  const alone = figures(aloneTook);
  const beside = Object.fromEntries(
    besideTook.map(([name, took]) => [
      name,
      { ...figures(took), ratio: Math.round((figures(took).p99 / alone.p99) * 10) / 10 },
    ]),
  );
  const { rows } = await pool.query<{ count: string }>(
    'SELECT count(*) FROM unnest($1::uuid[]) AS u (id) JOIN run r ON r.id = u.id',
    [acknowledged],
  );
  process.stdout.write(
    `${JSON.stringify({ perSecond, seconds, alone, beside, acknowledged: acknowledged.length, lost: acknowledged.length - Number(rows[0]?.count) }, null, 2)}\n`,
  );
  quiet.close();
  loud.disconnect();
} finally {
  await pool.end();
  await endProcess(engine.child);
  rmSync(dataDir, { recursive: true, force: true });
}
