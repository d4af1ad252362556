import { spawn } from 'node:child_process';
import { existsSync, lstatSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { keeperAddress, onLines, type KeeperMessage, type Wish } from './keeper-protocol.ts';
import { TestingError } from './testing-error.ts';

/** A cold start takes 1 to 3 s. */
const startLimitMs = 60_000;
const endLimitMs = 5_000;
const pollMs = 10;

/** A part of the Postgres that all test processes share. */
export interface PostgresLease {
  /** Null for one that only holds the server. */
  readonly database: { url: string; folder: string } | null;
  /** Drops the database. With the last lease the server ends, and this resolves once nothing of it is left. */
  release(): Promise<void>;
}

/** @throws TestingError NO_POSTGRES */
export async function leasePostgres(want: Wish['want']): Promise<PostgresLease> {
  const root = (await import('../engine/index.ts')).packageRoot();
  const address = keeperAddress(root);
  const deadline = Date.now() + startLimitMs;
  for (let keeper: { failure?: string; over: boolean } | undefined; ;) {
    checkOwner(address);
    const lease = await tryLease(address, want);
    if (lease !== undefined) return lease;
    if (keeper === undefined || keeper.over) {
      if (keeper?.failure !== undefined)
        throw unavailable(`the process that holds it could not start: ${keeper.failure}`);
      keeper = startKeeper(root, address);
    }
    if (Date.now() > deadline) throw unavailable(`nobody answered at ${address} for ${startLimitMs / 1000} s`);
    await delay(pollMs);
  }
}

/** In a folder that all may write to, another user's socket is not to be trusted. */
function checkOwner(address: string): void {
  const found = process.platform === 'win32' ? undefined : lstatSync(address, { throwIfNoEntry: false });
  if (found !== undefined && found.uid !== process.getuid?.()) throw unavailable(`${address} belongs to another user`);
}

function startKeeper(root: string, address: string): { failure?: string; over: boolean } {
  const file = join(root, 'dist', 'testing', 'keeper-main.js');
  if (!existsSync(file)) throw unavailable(`${file} is missing: run npm run build`);
  const { NODE_OPTIONS: _options, NODE_V8_COVERAGE: _coverage, ...env } = process.env;
  const keeper: { failure?: string; over: boolean } = { over: false };
  // A session of its own: it must outlive a Ctrl+C, to clean up after those that do not.
  const child = spawn(process.execPath, [file, address], {
    cwd: tmpdir(),
    detached: true,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (data: Buffer) => {
    complaint = (complaint + data.toString()).slice(-2_000);
  });
  child.once('error', (error) => Object.assign(keeper, { failure: error.message, over: true }));
  child.once('close', (code) =>
    Object.assign(
      keeper,
      code === 0 ? { over: true } : { failure: complaint.trim() || `it ended with ${code}`, over: true },
    ),
  );
  child.unref();
  if ('unref' in child.stderr && typeof child.stderr.unref === 'function') child.stderr.unref();
  return keeper;
}

/** @returns undefined where no keeper answers */
function tryLease(address: string, want: Wish['want']): Promise<PostgresLease | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    let ending = false;
    const closed = new Promise<void>((done) => socket.once('close', () => done()));
    socket.once('connect', () => socket.write(`${JSON.stringify({ want } satisfies Wish)}\n`));
    socket.once('error', () => resolve(undefined));
    void closed.then(() => resolve(undefined));
    onLines(socket, (line) => {
      const message: KeeperMessage = JSON.parse(line);
      switch (message.kind) {
        case 'granted':
          return resolve({
            database: message.database,
            release: () => release(socket, { closed, pid: message.pid, isEnding: () => ending }),
          });
        case 'refused':
          socket.end();
          return reject(unavailable(message.message, message.remedy));
        case 'ending':
          ending = true;
      }
    });
  });
}

async function release(
  socket: Socket,
  keeper: { closed: Promise<void>; pid: number; isEnding: () => boolean },
): Promise<void> {
  socket.end();
  await keeper.closed;
  const deadline = Date.now() + endLimitMs;
  while (keeper.isEnding() && isAlive(keeper.pid) && Date.now() < deadline) await delay(pollMs);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function unavailable(why: string, remedy = 'Look at the message, and run the tests again.'): TestingError {
  return new TestingError('NO_POSTGRES', `the Postgres for tests is not available: ${why}`, remedy);
}
