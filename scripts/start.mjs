// `npm start`: builds, then runs `hatchet dev` on the bundled example. Without a terminal it triggers a run, so that a run
// and its result are seen; `npm start -- --once` ends after it. Further arguments go to `hatchet dev`.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
await build({ types: true });

const given = process.argv.slice(2);
const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
const triggers = given.some((arg) => arg === '--trigger' || arg.startsWith('--trigger='));
const trigger =
  !triggers && (!isTerminal || given.includes('--once')) ? ['--trigger', 'greeting', '--input', '{"name":"Ada"}'] : [];
const child = spawn(
  process.execPath,
  [join(root, 'bin', 'hatchet'), 'dev', join('examples', 'greeting', 'worker.ts'), ...trigger, ...given],
  { cwd: root, stdio: 'inherit' },
);

// A terminal sends Ctrl+C to both; anything else that asks this process to stop means the child.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => (signal === 'SIGINT' && isTerminal ? undefined : child.kill(signal)));
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
