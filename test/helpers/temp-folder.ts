import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that every user can pass through: run as root, Postgres is another user, and its cluster stays in here. */
export function makeTempFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `hatchet-${name}-`));
  chmodSync(folder, 0o755);
  return folder;
}
