import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { templateNames } from '../../../cli/scaffold/find-template.ts';
import { packageRoot } from '../../helpers/engine-process.ts';
import { firstHour } from '../../helpers/first-hour/first-hour.ts';
import { Newcomer } from '../../helpers/first-hour/newcomer.ts';
import { namedTemplates } from '../../helpers/first-hour/readme-commands.ts';
import { walks } from '../../helpers/first-hour/walks.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const folder = makeTempFolder('first hour');
let newcomer: Newcomer | undefined;
afterEach(async () => await newcomer?.leave());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('has a walk for every template that there is, and the README names them all', () => {
  expect(namedTemplates().sort()).toEqual([...templateNames()].sort());
  expect(Object.keys(walks).sort()).toEqual(namedTemplates().sort());
});

/** The template's own packages, from wherever pip takes them here. */
function canInstallPython(): boolean {
  const { status } = spawnSync(
    'python3',
    [
      '-m',
      'pip',
      'install',
      '--dry-run',
      '--quiet',
      '--disable-pip-version-check',
      '-r',
      join(packageRoot, 'templates', 'python', 'requirements.txt'),
    ],
    { stdio: 'ignore' },
  );
  if (status !== 0)
    console.warn('The template python is left out: this machine has no python3 whose pip finds what it needs.');
  return status === 0;
}

it.each(templateNames().filter((name) => name !== 'python' || canInstallPython()))(
  'the template %s in a terminal of 80×24, from the README to Ctrl+C',
  async (template) => {
    const parent = join(folder, template);
    mkdirSync(parent);
    newcomer = new Newcomer(parent);
    await firstHour(newcomer, template);
  },
);
