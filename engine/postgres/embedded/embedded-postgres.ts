import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { HatchetError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { findBinaries, serverMajor, type Binaries } from './binaries.ts';
import { pgDataMajor, openPgData, prepareDataDir } from './pgdata.ts';
import { readRecord, recordPath, writeRecord, type PgData } from './pgdata-record.ts';
import { lockDataDir, type DataDirLock } from './data-dir-lock.ts';
import { freePort, isFreePort } from '../free-port.ts';
import { clearReusedPid, isAlive, isServerOf, runningPostmaster } from './postmaster.ts';
import { boundServerLog, lastLines, openServerLog } from './server-log.ts';
import { serverFlags } from './server-settings.ts';
import { serverUser, type ServerUser } from './server-user.ts';
import { Sqlstate, sqlstateOf } from '../sqlstate.ts';

/** A running embedded Postgres, held by this process alone until it stops. */
export interface EmbeddedPostgres {
  /** With the password; the same for as long as the engine lives. */
  readonly url: string;
  readonly pid: number;
  /** On 127.0.0.1. */
  readonly port: number;
  /** As Postgres gives it, such as `18.4`. */
  readonly version: string;
  /** One line for a checklist: made, started or adopted. */
  readonly detail: string;
  /** Called each time that it ends without having been stopped. */
  onExit(callback: () => void): void;
  /**
   * Starts it again on the same port after it died; joins a restart under way.
   * @throws HatchetError POSTGRES_START; DATA_DIR_IN_USE when another engine took the folder meanwhile
   */
  restart(): Promise<void>;
  /** Ends it, in order and within a bound. Idempotent. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  dataDir: string;
  log: Logger;
  /** The `native` folder of another platform package. Default: the installed Postgres 18. */
  binaries?: string;
  /** In place of the settings that an engine's server has. */
  settings?: Readonly<Record<string, string>>;
}

const startLimitMs = 30_000;
/** A server that says it is recovering is given this long: it may replay gigabytes of WAL. */
const recoveryLimitMs = 600_000;
/** Fast shutdown first; an immediate one loses nothing either, but makes the next start recover. */
const stopSignals = [
  { signal: 'SIGINT', limitMs: 5_000 },
  { signal: 'SIGQUIT', limitMs: 2_000 },
  { signal: 'SIGKILL', limitMs: 2_000 },
] as const;
/** An adopted server is no child of ours: its death is seen by looking. */
const watchEveryMs = 500;

/**
 * Starts the data folder's own Postgres, or adopts the one that a killed engine left running on it, and holds the folder.
 * @throws HatchetError DATA_DIR_IN_USE, DATA_DIR_UNUSABLE, POSTGRES_START, DISK_FULL
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const user = serverUser(readRecord(dataDir)?.folder);
  prepareDataDir(dataDir, user);
  const binaries = await findBinaries(user, options.binaries);
  const { pgData, created } = await openPgData(dataDir, { user, binaries });
  const server = new EmbeddedServer({
    dataDir,
    log: options.log,
    user,
    binaries,
    pgData,
    settings: options.settings ?? {},
  });
  await server.start(created);
  return server;
}

class EmbeddedServer implements EmbeddedPostgres {
  readonly #dataDir: string;
  readonly #log: Logger;
  readonly #user: ServerUser;
  readonly #binaries: Binaries;
  readonly #pgData: PgData;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #callbacks: (() => void)[] = [];
  #pid = 0;
  #lock: DataDirLock | undefined;
  #watch: NodeJS.Timeout | undefined;
  #restarting: Promise<void> | undefined;
  #relocking: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  detail = '';

  constructor(options: {
    dataDir: string;
    log: Logger;
    user: ServerUser;
    binaries: Binaries;
    pgData: PgData;
    settings: Readonly<Record<string, string>>;
  }) {
    this.#dataDir = options.dataDir;
    this.#log = options.log;
    this.#user = options.user;
    this.#binaries = options.binaries;
    this.#pgData = options.pgData;
    this.#settings = options.settings;
  }

  get pid(): number {
    return this.#pid;
  }

  get port(): number {
    return this.#pgData.port;
  }

  get version(): string {
    return this.#lock?.serverVersion ?? '';
  }

  get url(): string {
    return `postgres://postgres:${encodeURIComponent(this.#pgData.password)}@127.0.0.1:${this.#pgData.port}/postgres`;
  }

  async start(created: boolean): Promise<void> {
    const how = await this.#bringUp({ samePort: false });
    const done =
      how === 'adopted' ? `adopted the running one, pid ${this.#pid}` : created ? 'made a new cluster' : 'started';
    this.detail = `${done}, port ${this.port}`;
  }

  onExit(callback: () => void): void {
    this.#callbacks.push(callback);
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
    if (this.#lock !== undefined && isServerOf(this.#pid, this.#pgData.folder)) return;
    this.#log.warn({ pid: this.#pid, code: 'POSTGRES_LOST' }, 'Postgres is gone; starting it again');
    await this.#bringUp({ samePort: true });
  }

  /** Ends in a server that answers and whose folder is ours. */
  async #bringUp(options: { samePort: boolean }): Promise<'adopted' | 'launched'> {
    await this.#relocking;
    await this.#dropLock();
    const deadline = Date.now() + startLimitMs;
    for (;;) {
      const how = await this.#tryOnce(options);
      if (how !== 'failed') {
        // Refused, the server is left as it is: it is the other engine's.
        this.#lock = await lockDataDir(this.url, this.#dataDir);
        if (this.#stopping === undefined) this.#startWatch();
        return how;
      }
      await this.#checkMajor();
      if (Date.now() > deadline) throw this.#startError();
      // After a kill -9, old backends may hold the shared memory or the port for a moment longer.
      await delay(50);
    }
  }

  async #tryOnce(options: { samePort: boolean }): Promise<'adopted' | 'launched' | 'failed'> {
    const { folder } = this.#pgData;
    const found = runningPostmaster(folder);
    if (found !== undefined) {
      if (Number.isNaN(found.port)) return 'failed';
      if (options.samePort && found.port !== this.#pgData.port) throw this.#startError();
      this.#pid = found.pid;
      await this.#usePort(found.port);
      return (await this.#answers(() => isAlive(found.pid))) ? 'adopted' : 'failed';
    }
    if (!options.samePort && (this.#pgData.port === 0 || !(await isFreePort(this.#pgData.port))))
      await this.#usePort(await freePort());
    const child = this.#spawn();
    const launched = await this.#answers(() => !child.ended);
    if (!launched) clearReusedPid(folder);
    return launched ? 'launched' : 'failed';
  }

  async #usePort(port: number): Promise<void> {
    if (this.#pgData.port === port) return;
    this.#pgData.port = port;
    writeRecord(this.#dataDir, this.#pgData);
  }

  /** Asked after a start that failed: a pgdata of another major never starts, however often it is tried. */
  async #checkMajor(): Promise<void> {
    const { folder } = this.#pgData;
    const [of, by] = [pgDataMajor(folder), await serverMajor(this.#binaries)];
    if (of === undefined || by === undefined || of === by) return;
    throw new HatchetError(
      'DATA_DIR_UNUSABLE',
      `the data in ${folder} is of Postgres ${of}, and this version brings Postgres ${by}, which cannot read it`,
      {
        remedy: `Move it with a Postgres ${of} by pg_dump, go on with the version that made it, use another --data-dir, or begin anew with \`hatchet dev --reset\`.`,
      },
    );
  }

  #startError(): HatchetError {
    return new HatchetError(
      'POSTGRES_START',
      `Postgres did not start on port ${this.port}: ${lastLines(this.#logPath)}`,
      { remedy: `Read ${this.#logPath}.` },
    );
  }

  get #logPath(): string {
    return join(this.#dataDir, 'postgres.log');
  }

  #spawn(): { ended: boolean } {
    const log = openServerLog(this.#logPath);
    const child = spawn(
      this.#binaries.postgres,
      ['-D', this.#pgData.folder, ...serverFlags(this.#pgData.port, this.#settings)],
      {
        ...this.#user.spawn,
        cwd: this.#pgData.folder,
        detached: true, // a Ctrl+C in the terminal must not reach it before the engine has let go
        stdio: ['ignore', log, log],
        env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' },
      },
    );
    closeSync(log);
    child.unref();
    const state = { ended: false };
    const pid = child.pid;
    const ended = (): void => {
      state.ended = true;
      if (pid !== undefined) this.#exited(pid);
    };
    child.once('error', (error) => {
      this.#log.error({ err: error }, 'Postgres could not be started');
      ended();
    });
    child.once('exit', ended);
    if (pid !== undefined) this.#pid = pid;
    return state;
  }

  /** @returns false once the process is gone */
  async #answers(isUp: () => boolean): Promise<boolean> {
    const startedAt = Date.now();
    let recovering = false;
    while (isUp()) {
      const client = new Client({
        connectionString: this.url,
        connectionTimeoutMillis: 2_000,
        application_name: 'hatchet start',
      });
      client.on('error', () => undefined);
      try {
        await client.connect();
        return true;
      } catch (error) {
        if (sqlstateOf(error) === Sqlstate.invalidPassword) {
          throw new HatchetError(
            'DATA_DIR_UNUSABLE',
            `the Postgres on port ${this.port} does not take the password in ${recordPath(this.#dataDir)}`,
            {
              cause: error,
              remedy: 'Restore that file, or delete the data folder to start afresh.',
            },
          );
        }
        recovering = sqlstateOf(error) === Sqlstate.cannotConnectNow;
      } finally {
        await client.end().catch(() => undefined);
      }
      if (Date.now() - startedAt > (recovering ? recoveryLimitMs : startLimitMs)) throw this.#startError();
      await delay(10);
    }
    return false;
  }

  #startWatch(): void {
    clearInterval(this.#watch);
    const pid = this.#pid;
    this.#watch = setInterval(() => {
      boundServerLog(this.#logPath);
      if (!isAlive(pid)) this.#exited(pid);
      else if (this.#lock?.isHeld() === false) this.#relock();
    }, watchEveryMs);
    this.#watch.unref();
    process.off('exit', this.#signalAtExit);
    process.on('exit', this.#signalAtExit);
  }

  /** The lock's connection can be ended while the server lives, by an administrator say. */
  #relock(): void {
    this.#relocking ??= lockDataDir(this.url, this.#dataDir)
      .then(
        async (lock) => {
          if (this.#watch === undefined) await lock.release();
          else this.#lock = lock;
        },
        (error: unknown) =>
          this.#log.error(
            { err: error },
            'the lock of the data folder was lost and could not be taken again; trying on',
          ),
      )
      .finally(() => {
        this.#relocking = undefined;
      });
  }

  /** Only a watched server's end is news: one that never answered is tried again where it was started. */
  #exited(pid: number): void {
    if (this.#watch === undefined || pid !== this.#pid) return;
    this.#stopWatch();
    if (this.#stopping !== undefined) return;
    for (const callback of this.#callbacks) callback();
  }

  #stopWatch(): void {
    clearInterval(this.#watch);
    this.#watch = undefined;
    process.off('exit', this.#signalAtExit);
  }

  /** A process that ends by a bug or by process.exit leaves no server behind. */
  readonly #signalAtExit = (): void => {
    try {
      if (isServerOf(this.#pid, this.#pgData.folder)) process.kill(this.#pid, 'SIGINT');
    } catch {
      // It ended by itself in this very moment.
    }
  };

  async #dropLock(): Promise<void> {
    const lock = this.#lock;
    this.#lock = undefined;
    await lock?.release();
  }

  async #end(): Promise<void> {
    await this.#restarting?.catch(() => undefined);
    // Without the lock the server is another engine's, or nobody's and gone.
    if (this.#lock === undefined) return;
    this.#stopWatch();
    await this.#relocking;
    const pid = runningPostmaster(this.#pgData.folder)?.pid ?? this.#pid;
    for (const { signal, limitMs } of stopSignals) {
      if (!isServerOf(pid, this.#pgData.folder)) break;
      process.kill(pid, signal);
      const deadline = Date.now() + limitMs;
      while (isAlive(pid) && Date.now() < deadline) await delay(10);
      if (!isAlive(pid)) break;
      this.#log.warn({ pid, signal }, 'Postgres did not stop in time');
    }
    await this.#dropLock();
  }
}
