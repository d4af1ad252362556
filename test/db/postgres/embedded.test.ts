import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLog } from '../../../engine/base/log.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../engine/postgres/embedded/embedded-postgres.ts';
import { isAlive, runningPostmaster } from '../../../engine/postgres/embedded/postmaster.ts';
import { patient } from '../../helpers/patient.ts';

const log = createLog('silent');
const holder = fileURLToPath(new URL('../../fixtures/postgres/hold-server.ts', import.meta.url));

let root: string;
let dataDir: string;
const servers: EmbeddedPostgres[] = [];
const children: ChildProcess[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hatchet embedded '));
  chmodSync(root, 0o711);
  dataDir = join(root, 'my project', '.hatchet');
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const server of servers.splice(0)) await server.stop();
  const left = runningPostmaster(join(dataDir, 'postgres'));
  if (left !== undefined) {
    process.kill(left.pid, 'SIGQUIT');
    await vi.waitFor(() => expect(isAlive(left.pid)).toBe(false), patient);
  }
  rmSync(root, { recursive: true, force: true });
});

async function start(): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, log });
  servers.push(server);
  return server;
}

/** Another process with the data folder's server, as an engine has it. */
async function startHolder(
  options: { exit?: boolean; uid?: number } = {},
): Promise<{ child: ChildProcess; url: string; pid: number }> {
  const user = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid };
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', holder, dataDir, ...(options.exit === true ? ['--exit'] : [])],
    { ...user, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  children.push(child);
  for await (const line of createInterface({ input: child.stdout ?? process.stdin }))
    return { child, ...JSON.parse(line) };
  throw new Error('the holder said nothing');
}

async function one(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return Object.values((await client.query<Record<string, unknown>>(sql)).rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

test('a fresh folder: closed, ignored by git, loopback only, and gone after stop', async () => {
  const server = await start();
  expect(server.detail).toContain('made a new cluster');
  expect(server.version).toMatch(/^18\./);
  expect(await one(server.url, 'SHOW listen_addresses')).toBe('127.0.0.1');
  expect(await one(server.url, 'SHOW fsync')).toBe('on');
  expect(await one(server.url, 'SHOW password_encryption')).toBe('scram-sha-256');
  expect(statSync(dataDir).mode & 0o777).toBe(process.getuid?.() === 0 ? 0o711 : 0o700);
  expect(statSync(join(dataDir, 'postgres.json')).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(dataDir, '.gitignore'), 'utf8')).toBe('*\n');
  await expect(one(server.url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toThrow('password');
  await server.stop();
  expect(isAlive(server.pid)).toBe(false);
  expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
  await server.stop();
});

test('a later start keeps the data, the port and the password', async () => {
  const first = await start();
  await one(first.url, 'CREATE TABLE kept AS SELECT 7 AS seven');
  await first.stop();
  const second = await start();
  expect(second.url).toBe(first.url);
  expect(await one(second.url, 'SELECT seven FROM kept')).toBe(7);
});

test('a moved project keeps its data', async () => {
  const first = await start();
  await one(first.url, 'CREATE TABLE kept AS SELECT 7 AS seven');
  await first.stop();
  renameSync(join(root, 'my project'), join(root, 'moved'));
  dataDir = join(root, 'moved', '.hatchet');
  expect(await one((await start()).url, 'SELECT seven FROM kept')).toBe(7);
});

test('kill -9 of Postgres: told once, restarted on the same port with what was committed', async () => {
  const server = await start();
  const exits = vi.fn();
  server.onExit(exits);
  await one(server.url, 'CREATE TABLE kept AS SELECT 7 AS seven');
  const url = server.url;
  const before = server.pid;
  process.kill(before, 'SIGKILL');
  await vi.waitFor(() => expect(exits).toHaveBeenCalledTimes(1), patient);
  await Promise.all([server.restart(), server.restart()]);
  expect(server.pid).not.toBe(before);
  expect(server.url).toBe(url);
  expect(await one(url, 'SELECT seven FROM kept')).toBe(7);
  process.kill(server.pid, 'SIGKILL');
  await vi.waitFor(() => expect(exits).toHaveBeenCalledTimes(2), patient);
  await server.restart();
  await server.stop();
  expect(exits).toHaveBeenCalledTimes(2);
});

test('a second engine is refused and told the pid, and the first one’s server stays', async () => {
  const { child, url } = await startHolder();
  await expect(start()).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE', details: { pid: child.pid } });
  expect(await one(url, 'SELECT 1')).toBe(1);
});

test('a lock whose connection was ended is taken again', async () => {
  const server = await start();
  const holders = `SELECT count(*)::integer FROM pg_locks WHERE locktype = 'advisory'`;
  expect(await one(server.url, holders)).toBe(1);
  await one(server.url, `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`);
  await vi.waitFor(async () => expect(await one(server.url, holders)).toBe(1), patient);
  await expect(startHolder()).rejects.toThrow('the holder said nothing');
});

test('a killed engine’s server is adopted under the same address, watched and stopped', async () => {
  const { child, url, pid } = await startHolder();
  await kill(child);
  const server = await start();
  expect(server.detail).toContain('adopted');
  expect([server.url, server.pid]).toEqual([url, pid]);
  const exits = vi.fn();
  server.onExit(exits);
  process.kill(pid, 'SIGKILL');
  await vi.waitFor(() => expect(exits).toHaveBeenCalledTimes(1), patient);
  await server.restart();
  await server.stop();
  expect(isAlive(server.pid)).toBe(false);
});

test('an engine that ends without stopping takes its server with it', async () => {
  const { child, pid } = await startHolder({ exit: true });
  if (child.exitCode === null) await once(child, 'exit');
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), patient);
});

test('Postgres and engine killed: the dead pid file is recovered, even when its pid is another process now', async () => {
  const { child, pid } = await startHolder();
  await kill(child);
  process.kill(pid, 'SIGKILL');
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), patient);
  const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
  const owner = statSync(pidFile);
  const options = process.getuid?.() === 0 ? { uid: owner.uid, gid: owner.gid, cwd: '/' } : {};
  const stranger = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], {
    stdio: 'ignore',
    ...options,
  });
  children.push(stranger);
  writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(stranger.pid)));
  const server = await start();
  expect(await one(server.url, 'SELECT 1')).toBe(1);
  expect(stranger.exitCode).toBe(null);
});

test('a kill during initdb leaves nothing that matters', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', holder, dataDir], { stdio: 'ignore' });
  children.push(child);
  await vi.waitFor(() => expect(readdirSync(dataDir).some((name) => name.endsWith('.new'))).toBe(true), {
    ...patient,
    interval: 5,
  });
  await kill(child);
  const server = await start();
  expect(await one(server.url, 'SELECT 1')).toBe(1);
  // initdb itself outlives its parent by a moment; what it leaves is swept by the start after that.
  expect(readdirSync(dataDir)).toContain('postgres');
});

test('two first starts at once: one has the folder, the other is refused', async () => {
  const outcomes = await Promise.allSettled([start(), startHolder()]);
  const held = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  expect(held).toHaveLength(1);
});

test('a taken port: the next start moves to a free one', async () => {
  const first = await start();
  await first.stop();
  const { createServer } = await import('node:net');
  const squatter = createServer().listen(first.port, '127.0.0.1');
  await once(squatter, 'listening');
  try {
    const second = await start();
    expect(second.port).not.toBe(first.port);
    expect(await one(second.url, 'SELECT 1')).toBe(1);
  } finally {
    squatter.close();
  }
});

test('a lost record is an error that deletes nothing', async () => {
  const first = await start();
  await first.stop();
  rmSync(join(dataDir, 'postgres.json'));
  await expect(start()).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' });
  expect(existsSync(join(dataDir, 'postgres', 'PG_VERSION'))).toBe(true);
});

test.runIf(process.getuid?.() === 0)('an ordinary user’s cluster; root then runs it as that user', async () => {
  const uid = 1; // daemon: initdb wants a user that has a name
  chownSync(root, uid, uid);
  const { child, pid } = await startHolder({ uid });
  expect(statSync(join(dataDir, 'postgres')).uid).toBe(uid);
  expect(statSync(`/proc/${pid}`).uid).toBe(uid);
  await kill(child);
  process.kill(pid, 'SIGINT');
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), patient);
  const server = await start();
  expect(await one(server.url, 'SELECT 1')).toBe(1);
  expect(statSync(`/proc/${server.pid}`).uid).toBe(uid);
});

test.runIf(process.getuid?.() === 0)(
  'a folder that `nobody` cannot reach: the cluster lives elsewhere, and goes with its data folder',
  async () => {
    chmodSync(root, 0o700);
    const first = await start();
    const folder: unknown = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8')).folder;
    expect(folder).toMatch(/^\/var\/lib\/hatchet-ts\//);
    await one(first.url, 'CREATE TABLE kept AS SELECT 7 AS seven');
    await first.stop();
    const second = await start();
    expect(await one(second.url, 'SELECT seven FROM kept')).toBe(7);
    await second.stop();
    rmSync(dataDir, { recursive: true });
    const third = await start();
    expect(third.detail).toContain('made a new cluster');
    await third.stop();
    rmSync(join(String(folder), '..'), { recursive: true });
  },
);
