/**
 * The engine as a process. `node dist/engine/main.js '<EngineOptions as JSON>'`
 * stdout: one JSON object a line — EngineMessage. stderr: the log. It stops on SIGTERM, on SIGINT,
 * and when its stdin ends while `--control-stdin` is given, so that it never outlives the process that owns it.
 */
import { startEngine } from './index.ts';
import { HatchetError } from './errors.ts';
import type { EngineOptions, StageEvent } from './config.ts';

export type EngineMessage =
  | ({ type: 'stage' } & StageEvent)
  | { type: 'ready'; pid: number; startedAt: string; version: string; grpc: { host: string; port: number }; http: { host: string; port: number }; databaseUrl: string; token: string }
  | { type: 'error'; code: string; message: string; remedy: string | null; details: Record<string, string | number> }
  | { type: 'stopped' };

function say(message: EngineMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

const options: EngineOptions = JSON.parse(process.argv[2] ?? '{}');

try {
  const engine = await startEngine(options, (event) => say({ type: 'stage', ...event }));
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void engine.stop().then(
      () => {
        say({ type: 'stopped' });
        process.exit(0);
      },
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (process.argv.includes('--control-stdin')) {
    process.stdin.on('end', stop);
    process.stdin.on('error', stop);
    process.stdin.resume();
  }
  say({
    type: 'ready',
    pid: process.pid,
    startedAt: engine.startedAt.toISOString(),
    version: engine.version,
    grpc: engine.grpc,
    http: engine.http,
    databaseUrl: engine.databaseUrl,
    token: engine.token,
  });
} catch (error) {
  if (error instanceof HatchetError) {
    say({ type: 'error', code: error.code, message: error.message, remedy: error.remedy ?? null, details: error.details });
  } else {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    say({ type: 'error', code: 'INTERNAL', message, remedy: null, details: {} });
  }
  process.exit(1);
}
