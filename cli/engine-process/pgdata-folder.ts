import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isRecord } from '../project/json-value.ts';

/** Where a data folder's embedded Postgres keeps its pgdata, as `postgres.json` says: inside it, or elsewhere as root. */
export function pgDataFolder(dataDir: string): string | undefined {
  try {
    const record: unknown = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8'));
    const folder = isRecord(record) ? record['folder'] : undefined;
    return typeof folder === 'string' && folder !== '' ? resolve(dataDir, folder) : undefined;
  } catch {
    return undefined;
  }
}
