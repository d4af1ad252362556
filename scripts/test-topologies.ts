// The end-to-end tests and the SDK's suite against one engine, an engine with two edges, and three engines, one after the other
// (about an hour): `npm run test:topologies`. Arguments: topologies, for those alone; and files, in place of all.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exceptions, topologies, type Topology } from '../test/topologies.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'hatchet-topologies-'));
const given = process.argv.slice(2);
const named = topologies.filter((each) => given.includes(each));
const files = given.filter((each) => !named.some((topology) => topology === each));

/** What is read of vitest's report. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { name: string; status: string }[];
}

function run(args: readonly string[], topology: Topology): boolean {
  const env = { ...process.env, HATCHET_TEST_TOPOLOGY: topology };
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env }).status === 0;
}

interface Outcome {
  topology: Topology;
  passed: number;
  failed: number;
  failedFiles: string[];
  isGreen: boolean;
}

function test(topology: Topology): Outcome {
  const output = join(folder, `${topology}.json`);
  const vitest = join('node_modules', 'vitest', 'vitest.mjs');
  const reports = ['--reporter=default', '--reporter=json', `--outputFile.json=${output}`];
  const isGreen = run([vitest, 'run', '--project', 'e2e', '--project', 'sdk', ...reports, ...files], topology);
  const report: Report = existsSync(output)
    ? JSON.parse(readFileSync(output, 'utf8'))
    : { numPassedTests: 0, numFailedTests: 0, testResults: [] };
  const failedFiles = report.testResults.flatMap(({ name, status }) =>
    status === 'passed' ? [] : [relative(root, name)],
  );
  return { topology, passed: report.numPassedTests, failed: report.numFailedTests, failedFiles, isGreen };
}

if (!run(['scripts/build.mjs', '--types'], 'one')) process.exit(1);
const outcomes = (named.length > 0 ? named : topologies).map(test);
rmSync(folder, { recursive: true, force: true });
for (const { topology, passed, failed, failedFiles, isGreen } of outcomes) {
  process.stdout.write(`\n${topology}: ${passed} passed, ${failed} failed\n`);
  for (const file of failedFiles) process.stdout.write(`  failed ${file}\n`);
  if (!isGreen && failedFiles.length === 0) process.stdout.write('  failed outside of a file\n');
  for (const { file, reason } of exceptions[topology]) process.stdout.write(`  does not apply: ${file}: ${reason}\n`);
}
process.exit(outcomes.every(({ isGreen }) => isGreen) ? 0 : 1);
