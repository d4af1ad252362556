import type { CliContext } from '../cli-context.ts';
import { noteUnusedConnection } from '../connection/unused-connection.ts';
import { runningEngine, type EngineRecord } from '../engine-process/engine-record.ts';
import { dataFolder } from '../project/project-root.ts';

export interface DatabaseFlags {
  databaseUrl?: string;
  dataDir?: string;
}

export interface FoundDatabase {
  url: string;
  dataDir: string;
  /** The data folder's engine, if it runs. */
  engine: EngineRecord | undefined;
  /** The data folder's own Postgres, which nobody else administers. */
  isOwn: boolean;
}

/**
 * The database that an administrative command works on: --database-url, else that of the data folder's engine, else
 * DATABASE_URL (unless --data-dir was given), else the data folder's own Postgres, started for the time being.
 */
export async function withDatabase<T>(
  context: CliContext,
  flags: DatabaseFlags,
  work: (database: FoundDatabase) => Promise<T>,
): Promise<T> {
  noteUnusedConnection(context, 'works on a database itself, not through an engine');
  const dataDir = dataFolder(context.cwd, flags.dataDir);
  const engine = runningEngine(dataDir);
  const named =
    flags.databaseUrl ?? engine?.databaseUrl ?? (flags.dataDir === undefined ? context.env['DATABASE_URL'] : undefined);
  if (named !== undefined && named !== '') return work({ url: named, dataDir, engine, isOwn: false });
  const { openAdministeredDatabase } = await import('../../engine/index.ts');
  const database = await openAdministeredDatabase(dataDir);
  try {
    return await work({ url: database.url, dataDir, engine: undefined, isOwn: true });
  } finally {
    await database.stop();
  }
}
