/** The built engines of a round, and their tenants. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Pool } from 'pg';
import { KeyRing } from '../../../engine/auth/key-ring.ts';
import { Tokens } from '../../../engine/auth/tokens.ts';
import { newTenantId } from '../../../engine/model/ids/tenant-id.ts';
import { shardCount } from '../../../engine/model/ids/shard-of.ts';
import { spawnBenchEngine, untilReady, type BenchEngine } from '../../launch-engine.ts';
import type { Backend, Surroundings } from '../contestant.ts';
import { endChild } from '../end-child.ts';

/** Engines share the shards within seconds. */
const sharedWithinMs = 60_000;

export async function startEngines({ postgres, folder, shape, node, atEnd }: Surroundings): Promise<Backend> {
  const secretKeyFile = join(folder, 'engine-0', 'secret.key');
  const engines: BenchEngine[] = [];
  for (let n = 0; n < shape.engines; n++) {
    // The first one makes the key that the others take.
    const child = spawnBenchEngine(join(folder, `engine-${n}`), {
      engine: { databaseUrl: postgres.url, edges: shape.edges, ...(n === 0 ? {} : { secretKeyFile }) },
      node,
    });
    await atEnd(() => endChild(child));
    engines.push(await untilReady(child));
  }
  await untilShared(postgres.url, shape.engines);
  const [first] = engines;
  if (first === undefined) throw new Error('a round has one engine at least');
  const tokens =
    shape.tenants === 1
      ? [first.token]
      : await makeTenants(
          postgres.url,
          join(folder, 'engine-0'),
          Array.from({ length: shape.tenants }, (_, n) => engines[n % engines.length] ?? first),
        );
  return {
    target: { url: postgres.url, tokens },
    enginePids: engines.flatMap(({ child }) => (child.pid === undefined ? [] : [child.pid])),
    storePid: postgres.pid,
    storesInPostgres: true,
  };
}

/** @param engines for each tenant the one that its token leads to. @returns a token of each */
async function makeTenants(url: string, dataDir: string, engines: readonly BenchEngine[]): Promise<string[]> {
  const pool = new Pool({ connectionString: url, max: 4 });
  try {
    const made = new Tokens(pool, await KeyRing.open(pool, { dataDir }));
    const tokens: string[] = [];
    for (const [n, engine] of engines.entries()) {
      const tenantId = newTenantId();
      const name = `bench-${n}`;
      await pool.query('INSERT INTO tenant (id, name) VALUES ($1, $2)', [tenantId, name]);
      const addresses = { serverUrl: engine.serverUrl, grpcBroadcastAddress: engine.address };
      tokens.push(await made.create({ tenantId, name, addresses }));
    }
    return tokens;
  } finally {
    await pool.end();
  }
}

/** Resolves once each engine has its share of the shards. */
async function untilShared(url: string, engines: number): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const deadline = performance.now() + sharedWithinMs;
    for (;;) {
      const { rows } = await client.query<{ shards: number }>(
        'SELECT count(*)::integer AS shards FROM shard WHERE owner IS NOT NULL GROUP BY owner',
      );
      const served = rows.reduce((total, { shards }) => total + shards, 0);
      const most = Math.ceil(shardCount / engines);
      if (served === shardCount && rows.length === engines && rows.every(({ shards }) => shards <= most)) return;
      if (performance.now() > deadline) throw new Error(`${engines} engines did not share the shards`);
      await delay(50);
    }
  } finally {
    await client.end();
  }
}
