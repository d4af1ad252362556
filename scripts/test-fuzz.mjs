// Random requests of every method and route at a running engine, for longer than `npm test` does: `npm run test:fuzz [requests]`.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const requests = Number(process.argv[2] ?? 500_000);
if (!Number.isInteger(requests) || requests < 1) {
  process.stderr.write('usage: npm run test:fuzz [requests], a whole number over 0\n');
  process.exit(2);
}
const options = {
  cwd: dirname(dirname(fileURLToPath(import.meta.url))),
  env: { ...process.env, FUZZ_REQUESTS: String(requests) },
  stdio: 'inherit',
};
const run = (...args) => spawnSync(process.execPath, args, options).status ?? 1;
process.exit(
  run('scripts/build.mjs') ||
    run(join('node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'e2e', 'test/e2e/fuzz.test.ts'),
);
