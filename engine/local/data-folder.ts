import { existsSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { HatchetError } from '../base/errors.ts';
import { openDatabase } from './database.ts';
import { createLog } from '../base/log.ts';
import { readOwnRecord, recordPath } from '../postgres/embedded/pgdata-record.ts';
import { isPrivateFolder } from '../base/trusted-record.ts';

/**
 * What an engine keeps in a data folder and can make anew. Anything else there is left alone: the folder may be a person's
 * own. So is the key that seals secrets: an external database may need it.
 */
const ownFiles = [
  'engine.json',
  'token',
  'postgres.json',
  'postgres',
  'postgres.log',
  'postgres.log.1',
  'engine.log',
  'engine.log.1',
];

/**
 * The paths that `deleteData` removes, absolute. None where the folder has no Postgres of its own.
 * @throws HatchetError DATA_DIR_UNUSABLE where others could have chosen what is deleted
 */
export function dataPaths(dataDir: string): readonly string[] {
  const folder = resolve(dataDir);
  if (!existsSync(recordPath(folder))) return [];
  if (!isPrivateFolder(folder)) {
    throw new HatchetError(
      'DATA_DIR_UNUSABLE',
      `nothing in ${folder} is deleted: it is a link, belongs to another user, or is open to others`,
      {
        remedy:
          'Name the folder itself with --data-dir, as the user that it belongs to; an engine that starts on it closes it to others.',
      },
    );
  }
  const pgData = readOwnRecord(folder)?.folder;
  const outside = pgData === undefined || dirname(pgData) === folder ? [] : [dirname(pgData)];
  return [...outside, ...ownFiles.map((name) => join(folder, name))].filter((path) => existsSync(path));
}

/**
 * Deletes all data of a data folder whose engine does not run. A Postgres that was left running is stopped first.
 * @throws HatchetError DATA_DIR_UNUSABLE, DATA_DIR_IN_USE
 */
export async function deleteData(dataDir: string): Promise<void> {
  const paths = dataPaths(dataDir);
  const pgData = readOwnRecord(resolve(dataDir))?.folder;
  if (pgData !== undefined && existsSync(join(pgData, 'postmaster.pid'))) {
    await (await openDatabase({ databaseUrl: undefined, dataDir, log: createLog('error') })).stop();
  }
  for (const path of paths) rmSync(path, { recursive: true, force: true });
}
