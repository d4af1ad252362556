import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { GlobWatcher } from '../../../../cli/dev/watch/glob-watcher.ts';
import { patient } from '../../../helpers/patient.ts';

let folder = '';
let watcher: GlobWatcher;
let changed: string[] = [];

beforeEach(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'hatchet-globs-')));
  for (const name of ['src', 'src/deep', '.venv']) mkdirSync(join(folder, name));
  changed = [];
  watcher = new GlobWatcher({
    project: folder,
    files: ['**/*.py', '!**/test_*.py'],
    emit: (event) => event.type === 'files-changed' && changed.push(...event.paths),
  });
  watcher.cover([join(folder, '.env')]);
  await watcher.whenReady();
});
afterEach(async () => {
  await watcher.stop();
  rmSync(folder, { recursive: true, force: true });
});

it('tells of the files that the patterns name, at any depth, and of no others', async () => {
  for (const name of ['src/test_a.py', 'src/notes.md', '.venv/lib.py', 'src/deep/b.py', '.env', 'last.py'])
    writeFileSync(join(folder, name), 'x');
  await vi.waitFor(
    () =>
      expect(changed.toSorted()).toEqual([
        join(folder, '.env'),
        join(folder, 'last.py'),
        join(folder, 'src/deep/b.py'),
      ]),
    patient,
  );
});
