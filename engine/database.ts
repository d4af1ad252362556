import type { Logger } from './log.ts';
import { checkServer } from './postgres/connect.ts';
import { DataDirLock } from './postgres/data-dir-lock.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './postgres/embedded.ts';
import { isAlive } from './postgres/postmaster.ts';

export interface Database {
  url: string;
  /** For the checklist. */
  detail: string;
  stop(): Promise<void>;
}

/** How often the embedded server's process is looked at. A system call, no query. */
const watchMs = 250;

/** The database of an engine: the given one, or the data folder's own, which is kept alive while the engine runs. */
export async function openDatabase(options: { databaseUrl: string | undefined; dataDir: string; log: Logger }): Promise<Database> {
  const { databaseUrl, dataDir, log } = options;
  if (databaseUrl !== undefined) {
    const { version } = await checkServer(databaseUrl);
    return { url: databaseUrl, detail: `external, version ${Math.floor(version / 10_000)}`, stop: () => Promise.resolve() };
  }
  const server = await startEmbeddedPostgres({ dataDir, log });
  const lock = new DataDirLock(server.url, dataDir);
  await lock.take(); // refused: the server is another engine's, and stays
  const watch = setInterval(() => void revive(server, lock, log), watchMs);
  return {
    url: server.url,
    detail: server.detail,
    async stop() {
      clearInterval(watch);
      await lock.release();
      await server.stop();
    },
  };
}

async function revive(server: EmbeddedPostgres, lock: DataDirLock, log: Logger): Promise<void> {
  if (isAlive(server.pid)) return;
  try {
    const before = server.pid;
    await server.restart();
    if (server.pid === before) return;
    await lock.release();
    await lock.take();
  } catch (error) {
    log.error({ err: error }, 'Postgres could not be started again; trying on');
  }
}
