// The crash points of a durable task, every process killed both ways at each of them (about eight minutes), and 2,000 random
// durable programs (about six): `npm run test:crash`. `npm test` takes one process and one way a point, in turn, and 60.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const options = {
  cwd: root,
  env: { ...process.env, DURABLE_CRASH: 'all', DURABLE_PROGRAMS: process.env.DURABLE_PROGRAMS ?? '2000' },
  stdio: 'inherit',
};
const run = (...args) => spawnSync(process.execPath, args, options).status ?? 1;
process.exit(
  run('scripts/build.mjs') ||
    run(
      join('node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--project',
      'e2e',
      'test/e2e/durable-crash.test.ts',
      'test/e2e/durable-programs.test.ts',
    ),
);
