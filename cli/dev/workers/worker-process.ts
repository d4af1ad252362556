import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Writable, type Readable } from 'node:stream';
import type { WorkerExit } from '../events.ts';
import { inspectorPort, isInspectorLine } from './inspector-port.ts';
import { processEnv } from './worker-env.ts';
import { modulesVariable, type WorkerOrder } from './worker-order.ts';

export interface WorkerProcessOptions {
  /** Of Node: what it runs. */
  args: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  onLine(line: string): void;
  /** A file that it has loaded. */
  onLoaded(file: string): void;
  /** The port of its debugger, where it was started with one. */
  onInspector(port: number): void;
}

export interface WorkerProcess {
  /** By which the engine knows the workers that run in it. */
  id: string;
  pid: number;
  /** Of its debugger, once it listens. */
  readonly inspector: number | undefined;
  exited: Promise<WorkerExit>;
  order(order: WorkerOrder): void;
  /** SIGTERM: it finishes its tasks and ends. After `limitMs` it is killed. */
  drain(limitMs: number): Promise<void>;
  /** At once, with all that it has started. */
  kill(): void;
}

const keptLines = 40;
/** One line of a worker's output; a longer one is cut into several. */
const longestLine = 8_000;

/** One worker, in a process of its own that ends when this one does. */
export function spawnWorker(options: WorkerProcessOptions): WorkerProcess {
  const id = randomUUID();
  const child = spawn(process.execPath, options.args, {
    cwd: options.cwd,
    // This command may itself be a child of a worker.
    env: { ...processEnv(options.env, id), [modulesVariable]: undefined },
    // Its own process group: Ctrl+C reaches the command alone, which then drains the worker.
    detached: true,
    windowsHide: true,
    // What 3 to 5 are for: worker-preload.ts.
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  const lastLines: string[] = [];
  let inspector: number | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) throw new Error('the worker was spawned without pipes for its output');
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (whole) => {
      for (let at = 0; at === 0 || at < whole.length; at += longestLine) {
        const line = whole.slice(at, at + longestLine);
        const port = inspectorPort(line);
        if (port !== undefined) {
          inspector = port;
          options.onInspector(port);
        }
        if (isInspectorLine(line)) continue;
        lastLines.push(line);
        if (lastLines.length > keptLines) lastLines.shift();
        options.onLine(line);
      }
    });
  }
  const [orders, loaded] = child.stdio.slice(4);
  for (const pipe of child.stdio.slice(3)) pipe?.on('error', () => undefined);
  if (isReadable(loaded))
    createInterface({ input: loaded, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) =>
      options.onLoaded(String(JSON.parse(line))),
    );
  // `close` rather than `exit`: the last lines are still in the pipes when the process is gone.
  const exited = new Promise<WorkerExit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, lastLines: [...lastLines] }));
    child.once('error', (error) => resolve({ code: -1, signal: null, lastLines: [error.message] }));
  });
  return {
    id,
    pid: child.pid ?? 0,
    get inspector() {
      return inspector;
    },
    exited,
    order(order) {
      if (orders instanceof Writable && !orders.destroyed) orders.write(`${JSON.stringify(order)}\n`);
    },
    async drain(limitMs) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => killGroup(child), limitMs);
      await exited;
      clearTimeout(timer);
    },
    kill: () => killGroup(child),
  };
}

function isReadable(pipe: Readable | Writable | null | undefined): pipe is Readable {
  return pipe !== null && pipe !== undefined && 'read' in pipe;
}

/** With all that it has started. */
function killGroup(child: ChildProcess): void {
  if (process.platform === 'win32' || child.pid === undefined) child.kill('SIGKILL');
  else {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It is gone.
    }
  }
}
