/** The `hatchet` command's process. The only file that ends it. */
import { ExitCode } from './exit-codes.ts';
import { runProgram } from './run-program.ts';

const interruption = new AbortController();
const stop = (signal: 'SIGINT' | 'SIGTERM'): void => {
  if (interruption.signal.aborted) process.exit(ExitCode.interrupted);
  interruption.abort(signal);
};
process.on('SIGINT', () => stop('SIGINT'));
process.on('SIGTERM', () => stop('SIGTERM'));
process.on('SIGHUP', () => stop('SIGTERM'));

// `hatchet runs list | head`: nobody reads on, which is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(ExitCode.done);
    throw error;
  });
}

const exitCode = await runProgram(process.argv.slice(2), {
  cwd: process.cwd(),
  env: { ...process.env }, // a copy: what the UI sets for itself must not reach workers
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  interrupted: interruption.signal,
  interrupt: () => stop('SIGINT'),
});
process.stdout.write('', () => process.exit(exitCode));
