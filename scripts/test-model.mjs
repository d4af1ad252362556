// The comparison of the planner with its reference model, and random durable programs, for longer than `npm test` does:
// `npm run test:model [histories]`.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const histories = Number(process.argv[2] ?? 100_000);
if (!Number.isInteger(histories) || histories < 1) {
  process.stderr.write('usage: npm run test:model [histories], a whole number over 0\n');
  process.exit(2);
}
const env = {
  ...process.env,
  MODEL_HISTORIES: String(histories),
  RECOVERY_HISTORIES: String(Math.ceil(histories / 50)),
  DURABLE_HISTORIES: String(Math.ceil(histories / 5)),
};
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const files = [
  'test/unit/plan/model.test.ts',
  'test/unit/plan/durable-model.test.ts',
  'test/db/shard/recovery.test.ts',
];
const { status } = spawnSync(
  process.execPath,
  [join('node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'unit', '--project', 'db', ...files],
  { cwd: root, env, stdio: 'inherit' },
);
process.exit(status ?? 1);
