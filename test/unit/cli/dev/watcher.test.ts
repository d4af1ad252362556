import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Watcher } from '../../../../cli/dev/watch/watcher.ts';
import { patient } from '../../../helpers/patient.ts';

let folder = '';
let watcher: Watcher;
let bursts: (readonly string[])[] = [];

beforeEach(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'hatchet-watcher-')));
  mkdirSync(join(folder, 'src'));
  bursts = [];
  watcher = new Watcher((event) => event.type === 'files-changed' && bursts.push(event.paths));
  watcher.cover([join(folder, 'src', 'worker.ts'), join(folder, '.env')]);
  await watcher.whenReady();
});
afterEach(async () => {
  await watcher.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('Watcher', () => {
  it('makes one change of a burst', async () => {
    for (let file = 0; file < 20; file++) writeFileSync(join(folder, 'src', `f${file}.ts`), 'x');
    await vi.waitFor(() => expect(bursts.flat()).toHaveLength(20), patient);
    expect(bursts.length).toBeLessThanOrEqual(2);
  });

  it('passes by logs and other things that no bundle holds, but not the env file', async () => {
    writeFileSync(join(folder, 'src', 'out.log'), 'x');
    writeFileSync(join(folder, 'src', 'notes.md'), 'x');
    writeFileSync(join(folder, '.env'), 'A=1');
    await vi.waitFor(() => expect(bursts.flat()).toEqual([join(folder, '.env')]), patient);
  });
});
