import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const patienceMs = 5_000;

/** Resolves once it is gone, which it may be already: a Ctrl-C in the terminal reaches every process. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await gone;
  clearTimeout(late);
}
