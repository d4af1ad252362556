import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Bundler } from '../../../../cli/dev/bundler.ts';
import type { DevEvent } from '../../../../cli/dev/events.ts';
import { parseProblems } from '../../../../cli/dev/type-checker.ts';
import { patient } from '../../../helpers/patient.ts';

let project = '';
let bundler: Bundler;
let events: DevEvent[] = [];

beforeEach(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'hatchet-bundler-')));
  events = [];
  bundler = new Bundler({ project, entry: join(project, 'worker.ts'), outDir: join(project, '.hatchet', 'build'), emit: (event) => events.push(event) });
});
afterEach(async () => {
  await bundler.stop();
  rmSync(project, { recursive: true, force: true });
});

function write(name: string, text: string): void {
  writeFileSync(join(project, name), text);
}

async function build(): Promise<DevEvent> {
  const before = events.length;
  bundler.build();
  await vi.waitFor(() => expect(events.slice(before).some((event) => event.type === 'build-done' || event.type === 'build-failed')).toBe(true), patient);
  const last = events.at(-1);
  if (last === undefined) throw new Error('nothing was emitted');
  return last;
}

describe('Bundler', () => {
  it('bundles the program and what it imports; the bundle runs', async () => {
    write('worker.ts', `import { text } from './text.ts';\nconsole.log(text satisfies string);\n`);
    write('text.ts', `export const text = 'from text';\n`);
    const event = await build();
    if (event.type !== 'build-done') throw new Error(JSON.stringify(event));
    expect(event.inputs.toSorted()).toEqual([join(project, 'text.ts'), join(project, 'worker.ts')]);
    expect(spawnSync(process.execPath, [event.bundle], { encoding: 'utf8' }).stdout).toBe('from text\n');
  });

  it('says when nothing has changed', async () => {
    write('worker.ts', `console.log(1);\n`);
    expect(await build()).toMatchObject({ type: 'build-done', changed: true });
    expect(await build()).toMatchObject({ type: 'build-done', changed: false });
    write('worker.ts', `console.log(2);\n`);
    expect(await build()).toMatchObject({ type: 'build-done', changed: true });
  });

  it('names file, line and column of a mistake, and recovers from it', async () => {
    write('worker.ts', `const a = 1;\nconst b = ;\n`);
    expect(await build()).toMatchObject({ type: 'build-failed', isFirst: true, problems: [{ file: 'worker.ts', line: 2, column: 11, message: 'Unexpected ";"' }] });
    write('worker.ts', `import './gone.ts';\n`);
    expect(await build()).toMatchObject({ type: 'build-failed', problems: [{ file: 'worker.ts', line: 1, column: 8, message: expect.stringContaining('gone.ts') }] });
    write('gone.ts', `console.log('here');\n`);
    expect(await build()).toMatchObject({ type: 'build-done', changed: true });
    write('gone.ts', `const b = ;\n`);
    expect(await build()).toMatchObject({ type: 'build-failed', isFirst: false });
  });

  it('keeps a few bundles, not all', async () => {
    for (let round = 0; round < 8; round++) {
      write('worker.ts', `console.log(${round});\n`);
      const event = await build();
      if (event.type !== 'build-done') throw new Error(JSON.stringify(event));
      expect(existsSync(event.bundle)).toBe(true);
    }
    expect(readdirSync(join(project, '.hatchet', 'build')).length).toBeLessThanOrEqual(4);
  });
});

describe('parseProblems', () => {
  it('reads what tsc prints', () => {
    expect(parseProblems("src/a.ts(3,7): error TS2322: Type 'x' is not assignable.\n  more\n../b.ts(1,2): error TS1: no\n", '/project')).toEqual([
      { file: 'src/a.ts', line: 3, column: 7, message: "TS2322: Type 'x' is not assignable." },
      { file: '../b.ts', line: 1, column: 2, message: 'TS1: no' },
    ]);
  });
});
