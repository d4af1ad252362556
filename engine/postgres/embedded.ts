import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { HatchetError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { findBinaries, type Binaries } from './binaries.ts';
import { openCluster, prepareDataDir, writeRecord, type Cluster } from './cluster.ts';
import { isAlive, runningPostmaster, type Postmaster } from './postmaster.ts';
import { serverUser, type ServerUser } from './server-user.ts';

export interface EmbeddedPostgres {
  /** With the password. */
  url: string;
  readonly pid: number;
  port: number;
  /** One line for a checklist: made, started or adopted. */
  detail: string;
  /** Starts it again on the same port after it died; joins a restart under way. */
  restart(): Promise<void>;
  /** Ends it, in order and within a bound. Idempotent. */
  stop(): Promise<void>;
}

const logLimitBytes = 10 * 1024 * 1024;
const startLimitMs = 30_000;
const stopLimitMs = 10_000;

/** Durability is never traded away; WAL is given room, since checkpoints cost more than disk. */
const settings: Record<string, string> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '60',
  shared_buffers: '128MB',
  max_wal_size: '4GB',
  min_wal_size: '256MB',
  wal_compression: 'on',
  checkpoint_completion_target: '0.9',
  jit: 'off',
  log_destination: 'stderr',
  log_min_messages: 'warning',
  log_checkpoints: 'off',
  autovacuum_naptime: '15s',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/**
 * Starts the data folder's own Postgres, or adopts the one that a killed engine left running on it.
 * @throws HatchetError POSTGRES_START, DATA_DIR_UNUSABLE
 */
export async function startEmbeddedPostgres(options: { dataDir: string; log: Logger }): Promise<EmbeddedPostgres> {
  const user = serverUser();
  prepareDataDir(options.dataDir, user);
  const binaries = findBinaries(user);
  const { cluster, created } = await openCluster(options.dataDir, { user, binaries });
  const server = new EmbeddedServer({ ...options, user, binaries, cluster });
  await server.start(created);
  return server;
}

class EmbeddedServer implements EmbeddedPostgres {
  readonly #dataDir: string;
  readonly #log: Logger;
  readonly #user: ServerUser;
  readonly #binaries: Binaries;
  readonly #cluster: Cluster;
  #postmaster: Postmaster | undefined;
  #restarting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  detail = '';

  constructor(options: { dataDir: string; log: Logger; user: ServerUser; binaries: Binaries; cluster: Cluster }) {
    this.#dataDir = options.dataDir;
    this.#log = options.log;
    this.#user = options.user;
    this.#binaries = options.binaries;
    this.#cluster = options.cluster;
  }

  get pid(): number {
    return this.#postmaster?.pid ?? 0;
  }

  get port(): number {
    return this.#cluster.port;
  }

  get url(): string {
    return `postgres://postgres:${encodeURIComponent(this.#cluster.password)}@127.0.0.1:${this.#cluster.port}/postgres`;
  }

  async start(created: boolean): Promise<void> {
    const found = runningPostmaster(this.#cluster.folder);
    if (found !== undefined) {
      this.#postmaster = found;
      this.#cluster.port = found.port;
      await this.#untilReady();
      this.detail = `adopted the running one, pid ${found.pid}, port ${found.port}`;
      return;
    }
    await this.#launch();
    this.detail = `${created ? 'made a new cluster' : 'started'}, port ${this.#cluster.port}`;
  }

  restart(): Promise<void> {
    if (this.#stopping !== undefined) return this.#stopping;
    this.#restarting ??= this.#relaunch().finally(() => {
      this.#restarting = undefined;
    });
    return this.#restarting;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  async #relaunch(): Promise<void> {
    const found = runningPostmaster(this.#cluster.folder);
    if (found !== undefined) {
      this.#postmaster = found;
      return;
    }
    this.#log.warn({ pid: this.pid }, 'Postgres is gone; starting it again');
    await this.#launch();
  }

  async #launch(): Promise<void> {
    const deadline = Date.now() + startLimitMs;
    for (;;) {
      if (this.#cluster.port === 0 || !(await isFree(this.#cluster.port))) {
        this.#cluster.port = await freePort();
        writeRecord(this.#dataDir, this.#cluster);
      }
      this.#clearDeadPid();
      const exited = this.#spawn();
      const ready = this.#untilReady();
      const code = await Promise.race([exited, ready.then(() => undefined)]);
      if (code === undefined) return;
      ready.catch(() => undefined);
      const found = runningPostmaster(this.#cluster.folder);
      if (found !== undefined) {
        // Another engine started it at the same moment: the data folder's lock decides between the two.
        this.#postmaster = found;
        this.#cluster.port = found.port;
        return this.#untilReady();
      }
      // After a kill -9, old backends may hold the shared memory for a moment longer.
      if (Date.now() > deadline) {
        throw new HatchetError('POSTGRES_START', `Postgres did not start (exit code ${code}): ${lastLine(this.#logPath)}`, { remedy: `Read ${this.#logPath}.` });
      }
      await delay(100);
    }
  }

  get #logPath(): string {
    return join(this.#dataDir, 'postgres.log');
  }

  /** Postgres refuses to start over the pid file of a dead server whose pid now belongs to another process of its user. */
  #clearDeadPid(): void {
    if (runningPostmaster(this.#cluster.folder) === undefined) rmSync(join(this.#cluster.folder, 'postmaster.pid'), { force: true });
  }

  /** @returns the exit code, if it ends */
  #spawn(): Promise<number> {
    if (existsSync(this.#logPath) && statSync(this.#logPath).size > logLimitBytes) renameSync(this.#logPath, `${this.#logPath}.1`);
    const log = openSync(this.#logPath, 'a', 0o600);
    const flags = Object.entries({ ...settings, port: String(this.#cluster.port) }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(this.#binaries.postgres, ['-D', this.#cluster.folder, ...flags], {
      ...this.#user.spawn,
      cwd: this.#cluster.folder,
      detached: true, // a Ctrl+C in the terminal must not reach it before the engine has let go
      stdio: ['ignore', log, log],
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' },
    });
    closeSync(log);
    child.unref();
    if (child.pid !== undefined) this.#postmaster = { pid: child.pid, port: this.#cluster.port };
    return new Promise((resolve) => {
      child.once('error', (error) => {
        this.#log.error({ err: error }, 'Postgres could not be started');
        resolve(-1);
      });
      child.once('exit', (code, signal) => resolve(code ?? (signal === null ? -1 : 128)));
    });
  }

  async #untilReady(): Promise<void> {
    const deadline = Date.now() + startLimitMs;
    for (;;) {
      const client = new Client({ connectionString: this.url, connectionTimeoutMillis: 2000 });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await client.query('SELECT 1');
        return;
      } catch (cause) {
        if (cause instanceof Error && 'code' in cause && cause.code === '28P01') {
          throw new HatchetError('DATA_DIR_UNUSABLE', `the Postgres on port ${this.port} does not take the password in ${join(this.#dataDir, 'postgres.json')}`, { cause, remedy: 'Restore that file, or delete the data folder to start afresh.' });
        }
        if (Date.now() > deadline) throw new HatchetError('POSTGRES_START', `Postgres did not answer on port ${this.port}: ${lastLine(this.#logPath)}`, { cause, remedy: `Read ${this.#logPath}.` });
      } finally {
        await client.end().catch(() => undefined);
      }
      await delay(15);
    }
  }

  async #end(): Promise<void> {
    await this.#restarting?.catch(() => undefined);
    const postmaster = runningPostmaster(this.#cluster.folder);
    if (postmaster === undefined) return;
    // Fast shutdown first; an immediate one loses nothing either, but makes the next start recover.
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
      try {
        process.kill(postmaster.pid, signal);
      } catch {
        return;
      }
      const deadline = Date.now() + stopLimitMs;
      while (Date.now() < deadline) {
        if (!isAlive(postmaster.pid)) return;
        await delay(20);
      }
      this.#log.warn({ pid: postmaster.pid, signal }, 'Postgres did not stop in time');
    }
  }
}

function lastLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-3).join(' / ');
  } catch {
    return 'it wrote no log';
  }
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function freePort(): Promise<number> {
  return listenOnce(0);
}

async function isFree(port: number): Promise<boolean> {
  return listenOnce(port).then(
    () => true,
    () => false,
  );
}
