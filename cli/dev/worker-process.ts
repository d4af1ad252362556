import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { WorkerExit } from './events.ts';
import { processEnv } from './worker-env.ts';

export interface WorkerProcessOptions {
  /** Of Node: what it runs. */
  args: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  onLine(line: string): void;
}

export interface WorkerProcess {
  /** By which the engine knows the workers that run in it. */
  id: string;
  pid: number;
  exited: Promise<WorkerExit>;
  /** SIGTERM: it finishes its tasks and ends. After `limitMs` it is killed. */
  drain(limitMs: number): Promise<void>;
}

const keptLines = 20;
/** One line of a worker's output; a longer one is cut into several. */
const longestLine = 8_000;

/** One worker, in a process of its own that ends when this one does. */
export function spawnWorker(options: WorkerProcessOptions): WorkerProcess {
  const id = randomUUID();
  const child = spawn(process.execPath, options.args, {
    cwd: options.cwd,
    env: processEnv(options.env, id),
    // Its own process group: Ctrl+C reaches the command alone, which then drains the worker.
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const lastLines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) throw new Error('the worker was spawned without pipes for its output');
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (whole) => {
      for (let at = 0; at === 0 || at < whole.length; at += longestLine) {
        const line = whole.slice(at, at + longestLine);
        lastLines.push(line);
        if (lastLines.length > keptLines) lastLines.shift();
        options.onLine(line);
      }
    });
  }
  child.stdio[3]?.on('error', () => undefined);
  // `close` rather than `exit`: the last lines are still in the pipes when the process is gone.
  const exited = new Promise<WorkerExit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, lastLines: [...lastLines] }));
    child.once('error', (error) => resolve({ code: -1, signal: null, lastLines: [error.message] }));
  });
  return {
    id,
    pid: child.pid ?? 0,
    exited,
    async drain(limitMs) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => killGroup(child), limitMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** With all that it has started. */
function killGroup(child: ChildProcess): void {
  if (process.platform === 'win32' || child.pid === undefined) child.kill('SIGKILL');
  else process.kill(-child.pid, 'SIGKILL');
}
