import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { CliError } from '../../cli-error.ts';
import { packageRoot } from '../../package-root.ts';
import type { WorkerMessage, WorkerSettings } from './bench-messages.ts';

export interface BenchWorkers {
  pids: readonly number[];
  stop(): Promise<void>;
}

const stopLimitMs = 5_000;

/** Starts the worker processes. Resolves once all of them take tasks. @throws CliError */
export async function startBenchWorkers(
  count: number,
  settings: WorkerSettings,
  onProgress: (message: Extract<WorkerMessage, { type: 'progress' }>) => void,
): Promise<BenchWorkers> {
  const entry = join(packageRoot().folder, 'dist', 'cli', 'commands', 'bench', 'bench-worker.js');
  const children: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(end));
  };
  try {
    await Promise.all(
      Array.from({ length: count }, () => {
        const child = fork(entry, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced' });
        children.push(child);
        return untilReady(child, settings, onProgress);
      }),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { pids: children.map((child) => child.pid ?? 0), stop };
}

function untilReady(
  child: ChildProcess,
  settings: WorkerSettings,
  onProgress: (message: Extract<WorkerMessage, { type: 'progress' }>) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: WorkerMessage) => {
      if (message.type === 'progress') onProgress(message);
      else if (message.type === 'ready') resolve();
      else reject(new CliError(`a worker of the load test could not register: ${message.message}`));
    });
    child.once('exit', (code) => reject(new CliError(`a worker of the load test ended (exit code ${code})`)));
    child.send({ settings });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  if (child.connected) child.send('stop');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
  await exited;
  clearTimeout(timer);
}
