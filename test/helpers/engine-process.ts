import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { EngineOptions } from '../../engine/base/engine-options.ts';
import type { EngineMessage } from '../../engine/main.ts';
import { watchedProcess } from './spawned-answers.ts';

export const packageRoot = join(import.meta.dirname, '..', '..');

export type ReadyMessage = Extract<EngineMessage, { type: 'ready' }>;

export interface EngineChild {
  child: ChildProcess;
  ready: ReadyMessage;
  /** Its log, as far as it came. */
  log(): string;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Resolves once it is gone, whoever ended it. */
  gone(): Promise<void>;
}

export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

function isEngineMessage(value: unknown): value is EngineMessage {
  return typeof value === 'object' && value !== null && 'type' in value;
}

/**
 * The built engine as a process of its own, whose answers are compared with the OpenAPI document; resolves when it is ready.
 * @param nodeArguments for the runtime, before the program
 * @param root of the package, where it is another than this one
 */
export async function spawnEngine(
  options: EngineOptions,
  nodeArguments: readonly string[] = [],
  root = packageRoot,
): Promise<EngineChild> {
  // One of another release may answer otherwise.
  const watched = root === packageRoot ? watchedProcess() : { nodeArguments: [], env: {} };
  const child = spawn(
    process.execPath,
    [...nodeArguments, ...watched.nodeArguments, join(root, 'dist/engine/main.js'), JSON.stringify(options)],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...watched.env } },
  );
  let log = '';
  child.stderr.on('data', (data: Buffer) => {
    log = (log + data.toString()).slice(-20_000);
  });
  const ready = await new Promise<ReadyMessage>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message: unknown = JSON.parse(line);
      if (!isEngineMessage(message)) return;
      if (message.type === 'ready') resolve(message);
      if (message.type === 'error') reject(new Error(`${message.code}: ${message.message}`));
    });
    child.once('exit', (code, signal) => reject(new Error(`the engine ended with ${code ?? signal}: ${log}`)));
  });
  let isEnding = false;
  child.once('exit', (code, signal) => {
    if (!isEnding) process.stderr.write(`an engine ended with ${code ?? signal}, and no test ended it:\n${log}\n`);
  });
  return {
    child,
    ready,
    log: () => log,
    async end(signal) {
      isEnding = true;
      child.kill(signal);
      await ended(child);
    },
    gone: () => ended(child),
  };
}
