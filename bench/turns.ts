/**
 * The longest turn of the event loop, of the planner alone and of a real engine: `npm run bench:turns [scenario…]`, with
 * `--quick` for a tenth of the sizes. The two parts are programs of their own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
for (const part of ['planner-turns.ts', 'engine-turns.ts']) {
  const child = spawn(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', join(here, part), ...process.argv.slice(2)],
    { stdio: 'inherit' },
  );
  const [code] = await once(child, 'exit');
  if (code !== 0) process.exitCode = 1;
}
