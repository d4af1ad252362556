import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { dataPaths, deleteData } from '../../../engine/local/data-folder.ts';
import { createLog } from '../../../engine/base/log.ts';
import { startEmbeddedPostgres } from '../../../engine/postgres/embedded/embedded-postgres.ts';
import { prepareDataDir } from '../../../engine/postgres/embedded/pgdata.ts';
import { serverUser } from '../../../engine/postgres/embedded/server-user.ts';
import { startScratchPostgres } from '../../../engine/local/scratch-postgres.ts';

const isRoot = process.getuid?.() === 0;
const stranger = 1;
/** Above any pid that Linux gives. */
const deadPid = 99_999_999;

let home: string;
let victim: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hatchet-planted-'));
  chmodSync(home, 0o711);
  victim = join(home, 'victim', 'postgres');
  mkdirSync(victim, { recursive: true });
  writeFileSync(join(victim, 'kept'), '');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

function plant(name: string, { mode = 0o700, uid }: { mode?: number; uid?: number } = {}): string {
  const folder = join(home, name);
  mkdirSync(folder);
  const record = join(folder, 'postgres.json');
  writeFileSync(record, JSON.stringify({ folder: victim, password: 'p', port: 1 }), { mode: 0o600 });
  if (uid !== undefined) for (const path of [record, folder]) chownSync(path, uid, uid);
  chmodSync(folder, mode);
  return folder;
}

test('the sweep of abandoned scratch folders believes none that others could have written, and none that names another cluster', async () => {
  vi.stubEnv('TMPDIR', home);
  const planted = [plant(`hatchet-scratch-${deadPid}-open`, { mode: 0o777 }), plant(`hatchet-scratch-${deadPid}-own`)];
  if (isRoot) planted.push(plant(`hatchet-scratch-${deadPid}-other`, { uid: stranger }));
  const link = join(home, `hatchet-scratch-${deadPid}-link`);
  symlinkSync(planted[1] ?? '', link);
  const abandoned = join(home, `hatchet-scratch-${deadPid}-honest`);
  mkdirSync(abandoned, { mode: 0o700 });
  const scratch = await startScratchPostgres();
  await scratch.stop();
  for (const path of [...planted, join(victim, 'kept')]) expect(existsSync(path), path).toBe(true);
  expect(existsSync(abandoned)).toBe(false);
});

test('data is deleted where the data folder itself keeps it, and only in a folder that is closed to others', async () => {
  const named = plant('named');
  expect(() => dataPaths(named)).toThrow(
    expect.objectContaining({
      code: 'DATA_DIR_UNUSABLE',
      message: expect.stringContaining(victim),
      remedy: expect.stringMatching(/\w/),
    }),
  );
  await expect(deleteData(named)).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' });
  for (const folder of [plant('open', { mode: 0o777 }), ...(isRoot ? [plant('other', { uid: stranger })] : [])])
    expect(() => dataPaths(folder)).toThrow(/others|another user/);
  const honest = join(home, 'honest');
  const server = await startEmbeddedPostgres({ dataDir: honest, log: createLog('silent') });
  await server.stop();
  symlinkSync(honest, join(home, 'linked'));
  expect(() => dataPaths(join(home, 'linked'))).toThrow(/it is a link/);
  writeFileSync(join(honest, 'a note of mine'), '');
  writeFileSync(join(honest, 'secret.key'), '');
  expect(dataPaths(honest)).toEqual(['postgres.json', 'postgres', 'postgres.log'].map((name) => join(honest, name)));
  await deleteData(honest);
  expect(dataPaths(honest)).toEqual([]);
  for (const path of [join(honest, 'a note of mine'), join(honest, 'secret.key'), join(victim, 'kept')])
    expect(existsSync(path), path).toBe(true);
});

test('a start refuses a record that others could have written, or that names a cluster of another', async () => {
  const start = (dataDir: string) => startEmbeddedPostgres({ dataDir, log: createLog('silent') });
  const foreign = isRoot ? [plant('other', { uid: stranger })] : [];
  for (const folder of [plant('named'), plant('open', { mode: 0o777 }), ...foreign])
    await expect(start(folder)).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' });
  const all = join(home, 'all');
  mkdirSync(all);
  chmodSync(all, 0o1777);
  expect(() => prepareDataDir(all, serverUser())).toThrow(/all users share it/);
});

test.runIf(isRoot)(
  'root runs a new cluster as the user for Postgres where there is one, and an existing one as its owner',
  async () => {
    const idOf = (name: string): number | undefined => {
      try {
        return Number(execFileSync('id', ['-u', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
      } catch {
        return undefined;
      }
    };
    const dataDir = join(home, 'data');
    const server = await startEmbeddedPostgres({ dataDir, log: createLog('silent') });
    await server.stop();
    expect(statSync(join(dataDir, 'postgres')).uid).toBe(idOf('postgres') ?? idOf('nobody'));
    // As clusters are that earlier versions made.
    const nobody = idOf('nobody') ?? 65534;
    execFileSync('chown', ['-R', String(nobody), join(dataDir, 'postgres')]);
    const again = await startEmbeddedPostgres({ dataDir, log: createLog('silent') });
    try {
      expect(statSync(`/proc/${again.pid}`).uid).toBe(nobody);
    } finally {
      await again.stop();
    }
  },
);
