import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { packageRoot } from '../../helpers/engine-process.ts';
import { leftFiles, processesIn } from '../../helpers/left-behind.ts';
import { CliSession, runCli } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const folder = makeTempFolder('yaml project');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const worker = (answer: string): string => `
import { Hatchet } from 'hatchet-ts';
const hatchet = Hatchet.init();
const task = hatchet.task({ name: 'plain', fn: () => ({ answer: '${answer}' }) });
await (await hatchet.worker('plain', { workflows: [task] })).start();
`;

function makeProject(name: string, yaml: string): string {
  const project = join(folder, name);
  mkdirSync(join(project, 'node_modules'), { recursive: true });
  symlinkSync(packageRoot, join(project, 'node_modules', 'hatchet-ts'), 'dir');
  writeFileSync(join(project, 'hatchet.yaml'), yaml);
  writeFileSync(join(project, 'worker.mjs'), worker('old'));
  return project;
}

async function answer(cwd: string): Promise<string> {
  return (await runCli(['trigger', 'workflow', 'plain', '--wait'], { cwd })).stdout;
}

it('dev runs the command of a hatchet.yaml, anew when a named file changes, and leaves nothing when it is killed', async () => {
  // A shell stands between: the signal has to reach what it started. A worker that prints nothing does not notice a closed pipe.
  const project = makeProject(
    'any language',
    `dev:\n  preCmds: ["echo ready > prepared.txt"]\n  runCmd: "true && node '${join(folder, 'any language')}/worker.mjs' >/dev/null 2>&1; true"\n  files: ["*.mjs"]\n`,
  );
  const dev = new CliSession(['dev', '--no-tui'], { cwd: project });
  await expect.poll(() => dev.output).toMatch(/✓ worker +[\d.]+ m?s +serving/);
  expect(existsSync(join(project, 'prepared.txt'))).toBe(true);
  expect(await answer(project)).toContain('old');
  writeFileSync(join(project, 'worker.mjs'), worker('new'));
  await expect.poll(() => dev.output).toContain('reload 1');
  expect(await answer(project)).toContain('new');
  expect(processesIn(project).filter((line) => line.includes('worker.mjs'))).not.toEqual([]);
  await dev.end('SIGKILL');
  await expect.poll(() => processesIn(project), { interval: 100 }).toEqual([]);
  expect(leftFiles(project)).toEqual([]);
});

it('gives an old worker nothing once the new one serves, however long it takes to end', async () => {
  const project = makeProject('slow to end', 'dev:\n  runCmd: node worker.mjs\n  files: ["*.mjs"]\n');
  const lingering = (text: string): string =>
    `
import { existsSync } from 'node:fs';
${worker(text).replace('workflows: [task]', 'workflows: [task], handleKill: false')}`.replace(
      'await (await',
      "process.on('SIGTERM', () => setInterval(() => existsSync('end') && process.exit(0), 20));\nawait (await",
    );
  writeFileSync(join(project, 'worker.mjs'), lingering('old'));
  const dev = new CliSession(['dev', '--no-tui'], { cwd: project });
  await expect.poll(() => dev.output).toMatch(/✓ worker +[\d.]+ m?s +serving/);
  writeFileSync(join(project, 'worker.mjs'), lingering('new'));
  await expect.poll(() => dev.output).toContain('reload 1');
  const answers = await Promise.all(Array.from({ length: 4 }, () => answer(project)));
  expect(answers.filter((text) => !text.includes('new'))).toEqual([]);
  writeFileSync(join(project, 'end'), '');
  expect(await dev.end('SIGINT')).toBe(130);
});

it('says which preCmd failed, and with what', async () => {
  const project = makeProject(
    'failing',
    'dev:\n  preCmds: ["echo no such package >&2; exit 3"]\n  runCmd: node worker.mjs\n',
  );
  const ended = await runCli(['dev', '--no-tui', '--no-reload'], { cwd: project });
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain('exit code 3');
  expect(ended.stderr).toContain('no such package');
  writeFileSync(join(project, 'hatchet.yaml'), 'dev:\n  runcmd: x\n');
  expect(await runCli(['dev', '--no-tui'], { cwd: project })).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('dev.runcmd is unknown'),
  });
});
