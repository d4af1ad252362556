import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLog } from '../../../engine/base/log.ts';
import { connect } from '../../../engine/postgres/connect.ts';
import { connectionName } from '../../../engine/postgres/engine-connections.ts';
import { startEmbeddedPostgres } from '../../../engine/postgres/embedded/embedded-postgres.ts';
import {
  migrateDown,
  migrateUp,
  migrationStatus,
  verifyMigrations,
  verifyServable,
} from '../../../engine/postgres/schema/migrate.ts';
import { migrationFiles, migrationsFolder } from '../../../engine/postgres/schema/migration-files.ts';
import { preparePartitions } from '../../../engine/postgres/schema/prepare-partitions.ts';
import { databaseForTest, type DatabaseFixture } from '../../helpers/database-fixture.ts';

const names = migrationFiles(migrationsFolder()).map((file) => file.name);
let database: DatabaseFixture;
let folder: string;

beforeEach(async () => {
  database = await databaseForTest({ from: 'empty' });
  folder = mkdtempSync(join(tmpdir(), 'hatchet-migrations-'));
  cpSync(migrationsFolder(), folder, { recursive: true });
});

afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
});

async function objects(url: string): Promise<string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'schema\\_%' ORDER BY 1`,
    );
    return rows.map((row) => row.name);
  } finally {
    await client.end();
  }
}

function addMigration(name: string, up: string, down: string): void {
  writeFileSync(join(folder, `${name}.sql`), `-- Up Migration\n${up};\n-- Down Migration\n${down};\n`);
}

test('up, again, down, up: each step told once, and nothing left after down', async () => {
  const told: string[] = [];
  const steps = await migrateUp(database.url, { onStep: (step) => told.push(step.name) });
  expect(steps.map((step) => step.name)).toEqual(names);
  expect(told).toEqual(names);
  expect(await migrateUp(database.url)).toEqual([]);
  await verifyMigrations(database.url);
  expect((await migrationStatus(database.url)).every((state) => state.appliedAt !== null && !state.changed)).toBe(true);
  expect((await migrateDown(database.url, { to: '0' })).map((step) => step.name)).toEqual(names.toReversed());
  expect(await objects(database.url)).toEqual([]);
  expect((await migrateUp(database.url)).map((step) => step.name)).toEqual(names);
});

test('a dry run says what it would do and does nothing', async () => {
  expect((await migrateUp(database.url, { dryRun: true })).map((step) => step.name)).toEqual(names);
  expect(await objects(database.url)).toEqual([]);
  await migrateUp(database.url);
  const before = await objects(database.url);
  expect((await migrateDown(database.url, { dryRun: true })).map((step) => step.name)).toEqual(names.slice(-1));
  expect(await objects(database.url)).toEqual(before);
});

test('up and down to a given migration', async () => {
  addMigration('9001_one', 'CREATE TABLE one ()', 'DROP TABLE one');
  addMigration('9002_two', 'CREATE TABLE two ()', 'DROP TABLE two');
  await migrateUp(database.url, { folder, to: '9001' });
  expect(await objects(database.url)).toContain('one');
  expect(await objects(database.url)).not.toContain('two');
  await expect(verifyMigrations(database.url, folder)).rejects.toMatchObject({ code: 'SCHEMA_BEHIND' });
  await migrateUp(database.url, { folder });
  expect((await migrateDown(database.url, { folder, to: names.at(-1) })).map((step) => step.name)).toEqual([
    '9002_two',
    '9001_one',
  ]);
  await expect(migrateUp(database.url, { to: '77' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('waits of an older schema keep a row for each of their keys, upwards and downwards', async () => {
  await migrateUp(database.url, { to: '0013' });
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    const [tenant, one, two] = [1, 2, 3].map((n) => `00000000-0000-7000-8000-00000000000${n}`);
    const keys = [
      [one, 1, 'a'],
      [one, 1, 'b'],
      [one, 1, 'c'],
      [one, 2, 'a'],
      [two, 1, 'a'],
    ];
    for (const [task, node, key] of keys)
      await client.query(
        'INSERT INTO durable_listen (tenant_id, event_key, task_id, branch, node) VALUES ($1, $2, $3, 1, $4)',
        [tenant, key, task, node],
      );
    const rows = async (more = ''): Promise<unknown[]> =>
      (
        await client.query({
          text: `SELECT task_id, node, event_key${more} FROM durable_listen ORDER BY 1, 2, 3`,
          rowMode: 'array',
        })
      ).rows;
    await migrateUp(database.url, { to: '0014' });
    expect(await rows(', condition, scope, guard, expression')).toEqual(
      keys.map(([task, node, key]) => [
        task,
        node,
        key,
        node === 1 && task === one ? ['a', 'b', 'c'].indexOf(String(key)) : 0,
        '',
        '0',
        '',
      ]),
    );
    // Two conditions for one key are one row again.
    await client.query(
      `INSERT INTO durable_listen (tenant_id, event_key, task_id, branch, node, condition, scope) VALUES ($1, 'a', $2, 1, 1, 7, 's')`,
      [tenant, two],
    );
    await migrateDown(database.url, { to: '0013' });
    expect(await rows()).toEqual(keys);
  } finally {
    await client.end();
  }
});

test('ten at once: each migration is applied by exactly one', async () => {
  const all = await Promise.all(Array.from({ length: 10 }, () => migrateUp(database.url)));
  expect(
    all
      .flat()
      .map((step) => step.name)
      .sort(),
  ).toEqual(names);
});

test('does not wait for ever for another that hangs, and names it', async () => {
  const hanging = new Client({ connectionString: database.url, application_name: 'a hanging one' });
  await hanging.connect();
  try {
    await hanging.query('SELECT pg_advisory_lock(7077700002)');
    for (const verb of [migrateUp, migrateDown])
      await expect(verb(database.url, { waitMs: 100 })).rejects.toMatchObject({
        code: 'DATABASE_LOCKED',
        message: expect.stringContaining('a hanging one'),
      });
    await hanging.query('SELECT pg_advisory_unlock(7077700002)');
    await migrateUp(database.url, { waitMs: 100 });
  } finally {
    await hanging.end();
  }
});

test('a schema that is one migration newer is served on, and neither taken for this version’s nor taken back', async () => {
  addMigration('9001_later', 'CREATE TABLE later ()', 'DROP TABLE later');
  await migrateUp(database.url, { folder });
  const told: string[] = [];
  expect(await migrateUp(database.url, { onNewer: (name) => told.push(name) })).toEqual([]);
  expect(told).toEqual(['9001_later']);
  expect(await verifyServable(database.url)).toBe('9001_later');
  expect(await verifyServable(database.url, folder)).toBeUndefined();
  const states = await migrationStatus(database.url);
  expect(states.map(({ name, newer }) => [name, newer])).toEqual([
    ...names.map((name) => [name, false]),
    ['9001_later', true],
  ]);
  for (const verb of [migrateDown, verifyMigrations]) {
    await expect(verb(database.url)).rejects.toMatchObject({
      code: 'SCHEMA_NEWER',
      details: { migration: '9001_later', newest: names.at(-1) },
    });
  }
});

test('a schema that is two migrations newer, or has one in between, is refused by every verb', async () => {
  addMigration('9001_later', 'CREATE TABLE later ()', 'DROP TABLE later');
  addMigration('9002_latest', 'CREATE TABLE latest ()', 'DROP TABLE latest');
  await migrateUp(database.url, { folder });
  for (const verb of [migrateUp, migrateDown, migrationStatus, verifyMigrations, verifyServable]) {
    await expect(verb(database.url)).rejects.toMatchObject({
      code: 'SCHEMA_NEWER',
      details: { migration: '9001_later' },
      message: expect.stringContaining('9001_later, 9002_latest'),
      remedy: expect.stringContaining(`migrate down --to ${names.at(-1)}`),
    });
  }
  rmSync(join(folder, '9001_later.sql'));
  await expect(verifyServable(database.url, folder)).rejects.toMatchObject({
    code: 'SCHEMA_NEWER',
    details: { migration: '9001_later' },
  });
});

test('several migrations at once are refused while engines serve, and one is not', async () => {
  addMigration('9001_one', 'CREATE TABLE one ()', 'DROP TABLE one');
  addMigration('9002_two', 'CREATE TABLE two ()', 'DROP TABLE two');
  await migrateUp(database.url);
  const engine = new Client({
    connectionString: database.url,
    application_name: connectionName('lease', '01890000-0000-7000-8000-000000000001'),
  });
  await engine.connect();
  await expect(migrateUp(database.url, { folder })).rejects.toMatchObject({
    code: 'SCHEMA_IN_USE',
    details: { engines: 1 },
  });
  expect(await objects(database.url)).not.toContain('one');
  await migrateUp(database.url, { folder, to: '9001' });
  await migrateUp(database.url, { folder });
  expect(await objects(database.url)).toEqual(expect.arrayContaining(['one', 'two']));
  await migrateDown(database.url, { folder, to: names.at(-1) });
  await engine.end();
  await migrateUp(database.url, { folder });
});

test('a migration waits for its locks a second at a time, so that others get theirs in between', async () => {
  addMigration('9001_wide', 'ALTER TABLE tenant ADD COLUMN wide integer', 'ALTER TABLE tenant DROP COLUMN wide');
  await migrateUp(database.url);
  const [reader, other] = [database.client, new Client({ connectionString: database.url })];
  await other.connect();
  try {
    await reader.query('BEGIN');
    await reader.query('SELECT FROM tenant');
    await expect(migrateUp(database.url, { folder, waitMs: 100 })).rejects.toMatchObject({
      code: 'DATABASE_LOCKED',
      details: { migration: '9001_wide' },
    });
    const migrating = migrateUp(database.url, { folder });
    const isBehind = async (): Promise<boolean> =>
      (await other.query(`SELECT FROM pg_locks WHERE relation = 'tenant'::regclass AND NOT granted`)).rows.length > 0;
    await expect.poll(isBehind, { interval: 10 }).toBe(true);
    // It stands in line behind the migration, which leaves it.
    await other.query('SELECT FROM tenant');
    await reader.query('COMMIT');
    expect((await migrating).map(({ name }) => name)).toEqual(['9001_wide']);
  } finally {
    await other.end();
  }
});

test('a changed file is refused, and status names it', async () => {
  addMigration('9001_one', 'CREATE TABLE one ()', 'DROP TABLE one');
  await migrateUp(database.url, { folder });
  addMigration('9001_one', 'CREATE TABLE one (id integer)', 'DROP TABLE one');
  await expect(migrateUp(database.url, { folder })).rejects.toMatchObject({
    code: 'SCHEMA_CHANGED',
    details: { migration: '9001_one' },
  });
  expect(
    (await migrationStatus(database.url, folder)).filter((state) => state.changed).map((state) => state.name),
  ).toEqual(['9001_one']);
});

test('a failing migration leaves nothing of itself', async () => {
  addMigration('9001_bad', 'CREATE TABLE half (); SELECT 1 / 0', 'DROP TABLE half');
  await expect(migrateUp(database.url, { folder })).rejects.toThrow('division by zero');
  expect(await objects(database.url)).not.toContain('half');
  await verifyMigrations(database.url);
});

test('an unreachable server is named without its password', async () => {
  const refused = migrateUp('postgres://someone:secret@127.0.0.1:1/none');
  await expect(refused).rejects.toMatchObject({
    code: 'POSTGRES_UNREACHABLE',
    message: expect.not.stringContaining('secret'),
  });
  await expect(migrateUp('nonsense://someone:secret@there')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.not.stringContaining('secret'),
  });
});

test('Postgres 15: up, partitions, down', async () => {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres-15'));
  const native = join(
    dirname(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`))),
    'native',
  );
  const server = await startEmbeddedPostgres({
    dataDir: join(folder, 'postgres-15'),
    log: createLog('error'),
    binaries: native,
  });
  try {
    expect(server.version).toMatch(/^15\./);
    expect((await migrateUp(server.url)).map((step) => step.name)).toEqual(names);
    const { client } = await connect(server.url, 'test');
    await preparePartitions(client, Date.now());
    await client.end();
    await migrateDown(server.url, { to: '0' });
    expect(await objects(server.url)).toEqual([]);
  } finally {
    await server.stop();
  }
});
