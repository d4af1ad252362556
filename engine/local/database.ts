import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../base/log.ts';
import { prepareDataDir } from '../postgres/embedded/pgdata.ts';
import { checkServer } from '../postgres/connect.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../postgres/embedded/embedded-postgres.ts';
import { serverUser } from '../postgres/embedded/server-user.ts';

export interface Database {
  url: string;
  /** For the checklist. */
  detail: string;
  stop(): Promise<void>;
}

/** Between tries to bring the embedded server back: a full disk, say, takes a person. */
const reviveEveryMs = 1_000;

/** The database of an engine: the given one, or the data folder's own, which is kept alive while the engine runs. */
export async function openDatabase(options: {
  databaseUrl: string | undefined;
  dataDir: string;
  log: Logger;
}): Promise<Database> {
  const { databaseUrl, dataDir, log } = options;
  if (databaseUrl !== undefined) {
    const { version } = await checkServer(databaseUrl);
    prepareDataDir(dataDir, serverUser()); // the token and engine.json go there all the same
    return {
      url: databaseUrl,
      detail: `external, version ${Math.floor(version / 10_000)}`,
      stop: () => Promise.resolve(),
    };
  }
  const server = await startEmbeddedPostgres({ dataDir, log });
  const stopped = new AbortController();
  let reviving: Promise<void> | undefined;
  server.onExit(() => {
    reviving ??= revive(server, { log, signal: stopped.signal }).finally(() => {
      reviving = undefined;
    });
  });
  return {
    url: server.url,
    detail: server.detail,
    async stop() {
      stopped.abort();
      await reviving;
      await server.stop();
    },
  };
}

async function revive(server: EmbeddedPostgres, options: { log: Logger; signal: AbortSignal }): Promise<void> {
  while (!options.signal.aborted) {
    try {
      await server.restart();
      return;
    } catch (error) {
      const code = /No space left on device|ENOSPC/.test(String(error)) ? 'DISK_FULL' : 'POSTGRES_LOST';
      options.log.error({ err: error, code }, 'Postgres could not be started again; trying on');
      await delay(reviveEveryMs, undefined, { signal: options.signal }).catch(() => undefined);
    }
  }
}
