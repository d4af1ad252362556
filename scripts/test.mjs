// All checks: the build, then tests, types and lint. Its last line is `N passed, N failed`, from the runners' own counts.
// Three lanes: whichever is free takes the next one, the longest first. End-to-end tests mostly wait on one process after
// the other, so that three of them at once keep two cores busy; more would only make each of them slower.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
let passed = 0;
let failed = 0;
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    for (const child of running) child.kill(signal);
    process.exit(1);
  });

/** Its output comes whole, once it has ended. */
async function run(name, args) {
  process.stdout.write(`\n> ${name}: started\n`);
  const startedAt = Date.now();
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
  const status = await new Promise((resolve) => {
    child.on('error', () => resolve(1));
    child.on('close', (code) => resolve(code ?? 1));
  });
  running.delete(child);
  process.stdout.write(`\n> ${name}\n${Buffer.concat(output).toString()}`);
  process.stdout.write(
    `${status === 0 ? 'ok' : 'FAILED'} ${name} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)\n`,
  );
  return status === 0;
}

async function check(name, args) {
  if (await run(name, args)) passed++;
  else failed++;
}

const bin = (pkg, file) => join('node_modules', pkg, file);
const folder = mkdtempSync(join(tmpdir(), 'hatchet-test-'));

/** @param shard `1/2` for the first half of its files */
async function tests({ project, shard, args = [] }) {
  const name = shard === undefined ? `${project} tests` : `${project} tests ${shard}`;
  const report = join(folder, `${name.replaceAll(/\W/g, '-')}.json`);
  const ok = await run(name, [
    bin('vitest', 'vitest.mjs'),
    'run',
    '--project',
    project,
    ...(shard === undefined ? [] : [`--shard=${shard}`]),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...args,
  ]);
  const counts = existsSync(report)
    ? JSON.parse(readFileSync(report, 'utf8'))
    : { numPassedTests: 0, numFailedTests: 0 };
  passed += counts.numPassedTests;
  failed += counts.numFailedTests;
  // A file that could not even be loaded, or an error outside any test, is a failure too.
  if (!ok && counts.numFailedTests === 0) failed++;
}

const work = [
  () => tests({ project: 'e2e', shard: '1/2' }),
  () => tests({ project: 'e2e', shard: '2/2' }),
  () => tests({ project: 'cli' }),
  () => tests({ project: 'db', args: ['--maxWorkers=1'] }),
  () => tests({ project: 'unit', args: ['--maxWorkers=1'] }),
  () => tests({ project: 'cluster' }),
  () => tests({ project: 'page' }),
  () => tests({ project: 'simulation', args: ['--maxWorkers=1'] }),
  () => tests({ project: 'sdk' }),
  () => check('types', [bin('typescript', 'bin/tsc'), '-p', 'tsconfig.json']),
  () => check('types of the page', [bin('typescript', 'bin/tsc'), '-p', 'page/tsconfig.json']),
  () => check('lint', [bin('oxlint', 'bin/oxlint'), '--type-aware', '--deny-warnings', '.']),
  () => check('format', [bin('oxfmt', 'bin/oxfmt'), '--check', '.']),
];

async function lane() {
  for (let next = work.shift(); next !== undefined; next = work.shift()) await next();
}

// Programs are tested as they are built.
await check('build', ['scripts/build.mjs', '--types']);
await Promise.all([lane(), lane(), lane()]);
rmSync(folder, { recursive: true, force: true });

process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
