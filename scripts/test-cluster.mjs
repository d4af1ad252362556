// The SDK's suite, with 200 runs of each random program: against our engine, and against a Hatchet cluster. That is its double,
// or the cluster that HATCHET_CLIENT_TOKEN and HATCHET_CLIENT_HOST_PORT name; then against that one alone. Arguments go to vitest.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const isReal = process.env.HATCHET_CLIENT_TOKEN !== undefined;

function run(args) {
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    env: { HATCHET_TEST_RUNS: '200', ...process.env },
  });
  if (status !== 0) process.exit(status ?? 1);
}

run(['scripts/build.mjs', '--types']);
run([
  join('node_modules', 'vitest', 'vitest.mjs'),
  'run',
  ...(isReal ? [] : ['--project', 'sdk']),
  '--project',
  'cluster',
  ...process.argv.slice(2),
]);
