import { resolve } from 'node:path';
import type { KeySource, TokenAdministration } from '../../engine/index.ts';
import type { CliContext } from '../cli-context.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { DatabaseFlags, FoundDatabase } from './find-database.ts';
import { withPreparedDatabase } from './prepared-database.ts';

export interface AdministrationFlags extends DatabaseFlags {
  secretKeyFile?: string;
}

/** Runs work with the database that the flags name, once its schema is this version's. */
export function withAdministeredDatabase<T>(
  context: CliContext,
  flags: AdministrationFlags,
  work: (database: FoundDatabase, source: KeySource) => Promise<T>,
): Promise<T> {
  return withPreparedDatabase(context, flags, async (database) => {
    const given =
      flags.secretKeyFile === undefined
        ? (database.engine?.secretKeyFile ?? undefined)
        : resolve(context.cwd, flags.secretKeyFile);
    // A key that this machine made for somebody's database would be another than its engine's.
    return work(database, { dataDir: database.dataDir, secretKeyFile: given, mayCreate: database.isOwn });
  });
}

/** Tokens and signing keys of a database. */
export function withAdministration(
  context: CliContext,
  flags: AdministrationFlags,
  work: (administration: TokenAdministration, database: FoundDatabase) => Promise<ExitCode>,
): Promise<ExitCode> {
  return withAdministeredDatabase(context, flags, async (database, source) => {
    const { openTokenAdministration } = await import('../../engine/index.ts');
    const administration = await openTokenAdministration(database.url, source);
    try {
      return await work(administration, database);
    } finally {
      await administration.stop();
    }
  });
}
