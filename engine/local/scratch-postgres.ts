import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { createLog } from '../base/log.ts';
import { readOwnRecord } from '../postgres/embedded/pgdata-record.ts';
import { connectionConfig } from '../postgres/connect.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../postgres/embedded/embedded-postgres.ts';
import { migrateUp } from '../postgres/schema/migrate.ts';
import { preparePartitions } from '../postgres/schema/prepare-partitions.ts';
import { isAlive, runningPostmaster } from '../postgres/embedded/postmaster.ts';
import { isPrivateFolder } from '../base/trusted-record.ts';
import { scratchHome } from './scratch-home.ts';

/** Nothing on it outlives it, so it is not made to survive a power cut; and many engines share it, each with up to 14 connections. Its files may lie in memory: little WAL is kept. */
const settings = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  max_connections: '400',
  wal_level: 'minimal',
  max_wal_senders: '0',
  min_wal_size: '32MB',
  max_wal_size: '128MB',
  autovacuum_naptime: '60s',
};
const template = 'template_hatchet';
const prefix = 'hatchet-scratch-';

/** A database for one engine, and a folder for its files. */
export interface ScratchDatabase {
  readonly name: string;
  readonly url: string;
  readonly folder: string;
}

/** A Postgres for tests, in a folder of its own, with databases that are cloned from a migrated template. */
export interface ScratchPostgres {
  createDatabase(): Promise<ScratchDatabase>;
  /** Ends what is still connected to it. */
  dropDatabase(database: ScratchDatabase): Promise<void>;
  /** Ends the server and removes all that it had. */
  stop(): Promise<void>;
}

/**
 * Starts one, after removing what killed processes left of theirs.
 * @throws HatchetError DATA_DIR_UNUSABLE, POSTGRES_START, DISK_FULL
 */
export async function startScratchPostgres(): Promise<ScratchPostgres> {
  const home = scratchHome();
  removeAbandoned(home);
  const folder = mkdtempSync(join(home, `${prefix}${process.pid}-`));
  const server = await startEmbeddedPostgres({ dataDir: folder, log: createLog('error'), settings }).catch(
    (error: unknown) => {
      removeFolder(folder);
      throw error;
    },
  );
  try {
    return await Scratch.prepare(server, folder);
  } catch (error) {
    await server.stop();
    removeFolder(folder);
    throw error;
  }
}

class Scratch implements ScratchPostgres {
  readonly #server: EmbeddedPostgres;
  readonly #folder: string;
  readonly #admin: Client;
  /** Postgres clones one database at a time from a template: the others wait here, not in an error. */
  #last: Promise<unknown> = Promise.resolve();
  /** Made ahead, so that the next engine need not wait for it. */
  #spare: Promise<ScratchDatabase> | undefined;

  private constructor(server: EmbeddedPostgres, folder: string, admin: Client) {
    this.#server = server;
    this.#folder = folder;
    this.#admin = admin;
  }

  static async prepare(server: EmbeddedPostgres, folder: string): Promise<Scratch> {
    const admin = await open(server.url);
    await admin.query(`CREATE DATABASE ${template}`);
    const url = urlOf(server.url, template);
    await migrateUp(url);
    const client = await open(url);
    try {
      await preparePartitions(client, Date.now());
    } finally {
      await client.end();
    }
    return new Scratch(server, folder, admin);
  }

  async createDatabase(): Promise<ScratchDatabase> {
    const spare = this.#spare ?? this.#clone();
    this.#spare = undefined;
    const database = await spare;
    this.#spare = this.#clone();
    this.#spare.catch(() => undefined); // whoever takes it learns of it
    return database;
  }

  async dropDatabase({ name, folder }: ScratchDatabase): Promise<void> {
    await this.#inTurn(() => this.#admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    rmSync(folder, { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    await this.#last.catch(() => undefined);
    await this.#admin.end().catch(() => undefined);
    await this.#server.stop();
    removeFolder(this.#folder);
  }

  async #clone(): Promise<ScratchDatabase> {
    const name = `test_${randomBytes(8).toString('hex')}`;
    const folder = join(this.#folder, name);
    // In memory 15 ms; through WAL, as is the default, 200.
    await this.#inTurn(() => this.#admin.query(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`));
    mkdirSync(folder, { mode: 0o700 });
    return { name, url: urlOf(this.#server.url, name), folder };
  }

  #inTurn(work: () => Promise<unknown>): Promise<unknown> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

async function open(url: string): Promise<Client> {
  const client = new Client(connectionConfig(url, 'hatchet scratch'));
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

function urlOf(url: string, database: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${database}`;
  return parsed.href;
}

/**
 * Its process was killed: the server it left is ended, and its files go. The home is open to all users: only a folder that
 * this one made and closed is looked into, whatever others name like one.
 */
function removeAbandoned(home: string): void {
  for (const name of readdirSync(home)) {
    const pid = Number(new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1] ?? Number.NaN);
    if (!Number.isInteger(pid) || isAlive(pid) || !isPrivateFolder(join(home, name))) continue;
    try {
      removeFolder(join(home, name));
    } catch {
      // Damaged, or another process is at it.
    }
  }
}

/** @throws HatchetError DATA_DIR_UNUSABLE where its record names what is not the folder's own; nothing is removed then */
function removeFolder(folder: string): void {
  const pgData = readOwnRecord(folder)?.folder;
  if (pgData !== undefined) {
    const left = runningPostmaster(pgData);
    if (left !== undefined) process.kill(left.pid, 'SIGKILL');
    if (dirname(pgData) !== folder) rmSync(dirname(pgData), { recursive: true, force: true });
  }
  rmSync(folder, { recursive: true, force: true });
}
