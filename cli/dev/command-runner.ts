/**
 * The process around a worker that is a shell command, in whatever language: ties it to the CLI's life, as the preload
 * does for Node programs. The CLI holds the other end of descriptor 3. This process leads the group of the command's
 * processes, which ends as a whole: a shell does not hand on the signal that ends it.
 */
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { constants } from 'node:os';

/** After the CLI is gone, the command has this long to finish. */
const orphanMs = 6_000;

const [command = ''] = process.argv.slice(2);
const child = spawn(command, { shell: true, stdio: ['ignore', 'inherit', 'inherit'] });
let stopping = false;

function signalGroup(signal: NodeJS.Signals): void {
  if (process.platform === 'win32') child.kill(signal);
  else process.kill(-process.pid, signal);
}

/** The signal reaches this process again, as one of the group. */
function stop(): void {
  if (stopping) return;
  stopping = true;
  signalGroup('SIGTERM');
}

function orphaned(): void {
  stop();
  setTimeout(() => signalGroup('SIGKILL'), orphanMs);
}

process.on('SIGTERM', stop);
const pipe = new Socket({ fd: 3, readable: true, writable: false });
pipe.on('end', orphaned).on('error', orphaned);
pipe.resume();
pipe.unref();

child.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 127;
});
child.on('exit', (code, signal) => {
  // As a shell says it of its commands.
  process.exitCode =
    code ?? (signal === null || (signal === 'SIGTERM' && stopping) ? 0 : 128 + constants.signals[signal]);
});
