// All checks, in order: types, lint, build, then the tests. Its last line is `N passed, N failed`, from the runners' own counts.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
let passed = 0;
let failed = 0;

function run(name, args) {
  process.stdout.write(`\n> ${name}\n`);
  const startedAt = Date.now();
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  process.stdout.write(`${status === 0 ? 'ok' : 'FAILED'} ${name} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)\n`);
  return status === 0;
}

function check(name, args) {
  if (run(name, args)) passed++;
  else failed++;
}

const bin = (pkg, file) => join('node_modules', pkg, file);
check('types', [bin('typescript', 'bin/tsc'), '-p', 'tsconfig.json']);
check('lint', [bin('oxlint', 'bin/oxlint'), '--type-aware', '--deny-warnings', '.']);
check('build', ['scripts/build.mjs', '--types']);

const folder = mkdtempSync(join(tmpdir(), 'hatchet-test-'));
for (const project of ['unit', 'db', 'e2e']) {
  const report = join(folder, `${project}.json`);
  const ok = run(`${project} tests`, [bin('vitest', 'vitest.mjs'), 'run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]);
  const counts = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { numPassedTests: 0, numFailedTests: 0 };
  passed += counts.numPassedTests;
  failed += counts.numFailedTests;
  // A file that could not even be loaded, or an error outside any test, is a failure too.
  if (!ok && counts.numFailedTests === 0) failed++;
}
rmSync(folder, { recursive: true, force: true });

process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
