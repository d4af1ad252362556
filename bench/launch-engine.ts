/** The built engine as a process of its own, for a benchmark. */
import { spawn, type ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EngineOptions } from '../engine/index.ts';

export interface BenchEngine {
  child: ChildProcess;
  /** `host:port` of gRPC. */
  address: string;
  /** Of REST. */
  serverUrl: string;
  token: string;
  databaseUrl: string;
}

export interface LaunchOptions {
  /** Besides the data folder. Ports are free ones unless given. */
  engine?: EngineOptions;
  /** For the runtime, before the program. */
  nodeArguments?: readonly string[];
  /** The binary that runs it. Default: that of this process. */
  node?: string;
  /** Messages go between this process and the engine's. */
  ipc?: boolean;
}

const main = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist/engine/main.js');

/** The process, which is not ready yet. */
export function spawnBenchEngine(dataDir: string, options: LaunchOptions = {}): ChildProcess {
  const { engine, nodeArguments = [], node = process.execPath, ipc = false } = options;
  return spawn(
    node,
    [...nodeArguments, main, JSON.stringify({ dataDir, grpcPort: 0, httpPort: 0, logLevel: 'error', ...engine })],
    { stdio: ['ignore', 'pipe', 'inherit', ...(ipc ? (['ipc'] as const) : [])] },
  );
}

/**
 * Resolves once it serves all of its shards.
 * @param onServing called when Postgres is up and migrated: from here the engine is at work
 */
export async function untilReady(child: ChildProcess, onServing: () => void = () => undefined): Promise<BenchEngine> {
  if (child.stdout === null) throw new Error('the engine was started without a pipe for what it says');
  for await (const line of createInterface({ input: child.stdout })) {
    const message: {
      type?: string;
      stage?: string;
      status?: string;
      grpc: { host: string; port: number };
      http: { host: string; port: number };
      token: string;
      databaseUrl: string;
    } = JSON.parse(line);
    if (message.stage === 'engine' && message.status === 'started') onServing();
    if (message.type === 'ready')
      return {
        child,
        address: `${message.grpc.host}:${message.grpc.port}`,
        serverUrl: `http://${message.http.host}:${message.http.port}`,
        token: message.token,
        databaseUrl: message.databaseUrl,
      };
  }
  throw new Error('the engine ended before it was ready');
}

/** Resolves once it serves, on free ports. */
export function launchEngine(dataDir: string, options: LaunchOptions = {}): Promise<BenchEngine> {
  return untilReady(spawnBenchEngine(dataDir, options));
}

export async function endProcess(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await gone;
}
