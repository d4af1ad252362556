// All checks: types, lint, build, then the tests. Its last line is `N passed, N failed`, from the runners' own counts.
// Two lanes, about equally long: the engine's end-to-end tests, which mostly wait on one process after the other, and the
// SDK's, against the engine and against the double of a Hatchet cluster; and beside them the unit and database tests,
// which compute, and then the command line's.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
let passed = 0;
let failed = 0;

/** @param aside its output comes whole, once it has ended */
async function run(name, args, { aside = false } = {}) {
  if (!aside) process.stdout.write(`\n> ${name}\n`);
  const startedAt = Date.now();
  const child = spawn(process.execPath, args, { cwd: root, stdio: aside ? ['ignore', 'pipe', 'pipe'] : 'inherit' });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => output.push(chunk));
  const status = await new Promise((resolve) => {
    child.on('error', () => resolve(1));
    child.on('close', (code) => resolve(code ?? 1));
  });
  if (aside) process.stdout.write(`\n> ${name}\n${Buffer.concat(output).toString()}`);
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

async function tests(project, options) {
  const report = join(folder, `${project}.json`);
  const ok = await run(
    `${project} tests`,
    [
      bin('vitest', 'vitest.mjs'),
      'run',
      '--project',
      project,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...(options?.args ?? []),
    ],
    options,
  );
  const counts = existsSync(report)
    ? JSON.parse(readFileSync(report, 'utf8'))
    : { numPassedTests: 0, numFailedTests: 0 };
  passed += counts.numPassedTests;
  failed += counts.numFailedTests;
  // A file that could not even be loaded, or an error outside any test, is a failure too.
  if (!ok && counts.numFailedTests === 0) failed++;
}

await check('types', [bin('typescript', 'bin/tsc'), '-p', 'tsconfig.json']);
await check('lint', [bin('oxlint', 'bin/oxlint'), '--type-aware', '--deny-warnings', '.']);
await check('format', [bin('oxfmt', 'bin/oxfmt'), '--check', '.']);
await check('build', ['scripts/build.mjs', '--types']);
const beside = (async () => {
  for (const project of ['unit', 'simulation', 'db', 'cli'])
    await tests(project, { aside: true, args: ['--maxWorkers=1'] });
})();
for (const project of ['e2e', 'sdk', 'cluster']) await tests(project);
await beside;
rmSync(folder, { recursive: true, force: true });

process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
