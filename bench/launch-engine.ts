/** The built engine as a process of its own, for a benchmark. */
import { spawn, type ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface BenchEngine {
  child: ChildProcess;
  /** `host:port` of gRPC. */
  address: string;
  token: string;
  databaseUrl: string;
}

const main = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist/engine/main.js');

/** Resolves once it serves, on free ports. */
export async function launchEngine(dataDir: string): Promise<BenchEngine> {
  const child = spawn(
    process.execPath,
    [main, JSON.stringify({ dataDir, grpcPort: 0, httpPort: 0, logLevel: 'error' })],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  for await (const line of createInterface({ input: child.stdout })) {
    const message: { type?: string; grpc: { host: string; port: number }; token: string; databaseUrl: string } =
      JSON.parse(line);
    if (message.type === 'ready')
      return {
        child,
        address: `${message.grpc.host}:${message.grpc.port}`,
        token: message.token,
        databaseUrl: message.databaseUrl,
      };
  }
  throw new Error('the engine ended before it was ready');
}

export async function endProcess(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await gone;
}
