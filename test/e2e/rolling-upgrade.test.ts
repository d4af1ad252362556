import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrationFiles, migrationsFolder } from '../../engine/postgres/schema/migration-files.ts';
import { Hatchet } from '../../sdk/index.ts';
import { databaseFixture } from '../helpers/database-fixture.ts';
import { packageRoot, spawnEngine, type EngineChild } from '../helpers/engine-process.ts';
import { Load } from '../helpers/load.ts';
import { LoadBalancer } from '../helpers/load-balancer.ts';
import { makeNextRelease } from '../helpers/next-release.ts';
import { quiet } from '../helpers/quiet-logger.ts';
import { untilShared } from '../helpers/replica-parts.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';

const database = databaseFixture();
const folder = makeTempFolder('rolling-upgrade');
const secretKeyFile = join(folder, 'secret.key');
/** The package of this version, of the next one, and of the one after that. */
const packages = { current: packageRoot, next: join(folder, 'next'), afterNext: join(folder, 'after-next') } as const;
type Release = keyof typeof packages;
const newest = migrationFiles(migrationsFolder()).at(-1)?.name ?? '';
const additive = '9001_additive';
const engines: EngineChild[] = [];
/** Also those that were replaced. */
const started: EngineChild[] = [];
let balancer: LoadBalancer;
let ours: Hatchet;

const engineOptions = (name: string) =>
  ({
    logLevel: 'warn',
    dataDir: join(folder, name),
    databaseUrl: database.url,
    secretKeyFile,
    grpcPort: 0,
    httpPort: 0,
  }) as const;

async function start(place: number, release: Release): Promise<EngineChild> {
  const engine = await spawnEngine(engineOptions(String(place)), [], packages[release]);
  started.push(engine);
  return engine;
}

/** By hand, with the command of a release. */
async function hatchet(release: Release, ...args: readonly string[]): Promise<string> {
  const command = [join(packages[release], 'dist/cli/bin.js'), ...args, '--database-url', database.url];
  return (await promisify(execFile)(process.execPath, command)).stdout;
}

async function applied(): Promise<string[]> {
  const { rows } = await database.pool.query<{ name: string }>(
    'SELECT name FROM schema_migration WHERE name > $1 ORDER BY name',
    [newest],
  );
  return rows.map(({ name }) => name);
}

/** Changes every table that there is, as far as a migration may: two more columns, an index, and a table. */
async function writeAdditive(): Promise<string> {
  const { rows } = await database.pool.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT LIKE 'schema\\_%' ORDER BY 1`,
  );
  expect(rows.length).toBeGreaterThan(20);
  const each = (change: (table: string) => string): string => rows.map(({ name }) => `${change(name)};\n`).join('');
  return `-- Up Migration
${each((table) => `ALTER TABLE ${table} ADD COLUMN later text, ADD COLUMN later_count integer NOT NULL DEFAULT 7`)}
CREATE TABLE later (id uuid PRIMARY KEY, tenant_id uuid NOT NULL);
CREATE INDEX later_live ON live (later);
-- Down Migration
DROP TABLE later;
${each((table) => `ALTER TABLE ${table} DROP COLUMN later, DROP COLUMN later_count`)}`;
}

beforeAll(async () => {
  writeFileSync(secretKeyFile, randomBytes(32).toString('base64'));
  engines.push(await start(0, 'current'));
  const migration = await writeAdditive();
  makeNextRelease(packages.next, '9.1.0', { [additive]: migration });
  const more = { '9002_more': '-- Up Migration\nCREATE TABLE more ();\n-- Down Migration\nDROP TABLE more;\n' };
  makeNextRelease(packages.afterNext, '9.2.0', { [additive]: migration, ...more });
  engines.push(...(await Promise.all([start(1, 'current'), start(2, 'current')])));
  await untilShared(database.url, engines.length);
  balancer = await LoadBalancer.start(() => engines);
  const { token, http } = engines[0]?.ready ?? { token: '', http: { port: 0 } };
  const apiUrl = `http://127.0.0.1:${http.port}`;
  ours = Hatchet.init({ token, hostPort: `127.0.0.1:${balancer.port}`, apiUrl, logger: () => quiet });
});

afterAll(async () => {
  ours.close();
  await balancer.stop();
  await Promise.all(engines.map((engine) => engine.end('SIGTERM')));
  rmSync(folder, { recursive: true, force: true });
});

describe('three engines under load', () => {
  async function replaceEach(release: Release, afterEach: () => Promise<void>): Promise<void> {
    for (const [place, engine] of [...engines].entries()) {
      await engine.end('SIGTERM');
      engines[place] = await start(place, release);
      await afterEach();
      await untilShared(database.url, engines.length);
      await delay(500); // some load before the next one goes
    }
  }
  const versions = (): string[] => [...new Set(engines.map(({ ready }) => ready.version))];

  it('are replaced by those of the next version and back again, whoever migrates, and no call fails', async () => {
    const double = ours.task({ name: 'double', fn: ({ n }: { n: number }) => ({ doubled: 2 * n }) });
    const sleeping = ours.durableTask({
      name: 'sleeping',
      fn: async ({ n }: { n: number }, ctx) => {
        await ctx.sleepFor('20ms');
        return { ...(await ctx.runChild(double, { n })), from: await ctx.memo([n], async () => n) };
      },
    });
    const noted = ours.task({ name: 'noted', onEvents: ['noted'], fn: () => ({}) });
    const worker = await ours.worker('upgraded', {
      handleKill: false,
      slots: 50,
      workflows: [double, sleeping, noted],
    });
    const running = worker.start();
    await worker.waitUntilReady();
    const loads = [
      new Load(20, async (n) => expect(await double.run({ n })).toEqual({ doubled: 2 * n })),
      new Load(100, async (n) => expect(await sleeping.run({ n })).toEqual({ doubled: 2 * n, from: n })),
      new Load(50, (n) => ours.events.push('noted', { n })),
    ];
    // The first of the new engines migrates, under the two old ones.
    await replaceEach('next', async () => expect(await applied()).toEqual([additive]));
    expect(versions()).toEqual(['9.1.0']);
    // The old ones start on the schema of the next version.
    await replaceEach('current', async () => expect(await applied()).toEqual([additive]));
    expect(versions()).not.toContain('9.1.0');
    // By hand, before a rollout: down, since it was applied, and up.
    await hatchet('next', 'migrate', 'down', '--to', newest);
    expect(await applied()).toEqual([]);
    await hatchet('next', 'migrate', 'up');
    expect(await hatchet('current', 'migrate', 'status')).toMatch(/9001_additive .* of the next version/);
    await replaceEach('next', async () => expect(await applied()).toEqual([additive]));
    const calls = await Promise.all(loads.map((load) => load.end()));
    const longest = loads.map(({ tookMs }) => Math.round(Math.max(...tookMs)));
    process.stdout.write(
      `rolling upgrade, back, and again: ${calls.join(', ')} calls, the longest took ${longest.join(', ')} ms\n`,
    );
    const logs = started.map((engine) => engine.log()).join('\n');
    expect(
      loads.map(({ failures }) => failures),
      logs,
    ).toEqual([[], [], []]);
    await expect
      .poll(async () => (await database.pool.query('SELECT FROM live')).rows.length, { timeout: 30_000 })
      .toBe(0);
    await worker.stop();
    await running;
  }, 300_000);

  it('of this version are refused by a schema that is two migrations newer, and say what to do', async () => {
    await hatchet('afterNext', 'migrate', 'up');
    await expect(start(3, 'current')).rejects.toThrow(/^SCHEMA_NEWER: .*9001_additive, 9002_more/);
    await hatchet('afterNext', 'migrate', 'down', '--to', newest);
    // Two at once, under engines of this version's schema: they do not know how to serve on that.
    await expect(hatchet('afterNext', 'migrate', 'up')).rejects.toMatchObject({
      stderr: expect.stringMatching(/2 migrations are missing.*3 engines serve[^]*Stop the engines first/),
    });
  });
});
