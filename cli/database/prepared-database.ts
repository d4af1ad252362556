import type { CliContext } from '../cli-context.ts';
import { withDatabase, type DatabaseFlags, type FoundDatabase } from './find-database.ts';

/** As `withDatabase`, with a schema that this version works with: a data folder's own database is brought up to date, somebody's server is only checked. */
export function withPreparedDatabase<T>(
  context: CliContext,
  flags: DatabaseFlags,
  work: (database: FoundDatabase) => Promise<T>,
): Promise<T> {
  return withDatabase(context, flags, async (database) => {
    const { migrateUp, verifyServable } = await import('../../engine/index.ts');
    if (database.isOwn) await migrateUp(database.url);
    else await verifyServable(database.url);
    return work(database);
  });
}
