/**
 * The engine as a process, or one of its edges: `--given-sockets`. `node dist/engine/main.js '<EngineOptions as JSON>'`, and an external database by
 * HATCHET_ENGINE_DATABASE_URL: arguments can be read by every user of the machine.
 * stdout: one JSON object a line — EngineMessage. stderr: the log. It stops on SIGTERM, on SIGINT,
 * and when its stdin ends while `--control-stdin` is given, so that it never outlives the process that owns it.
 */
import { startEngine } from './engine.ts';
import { HatchetError } from './base/errors.ts';
import type { EngineOptions, StageEvent } from './base/engine-options.ts';
import { removeEngineFile, writeEngineFile } from './local/engine-file.ts';
import { faults } from './base/faults.ts';
import { createLog } from './base/log.ts';
import { givenSockets } from './edge-processes/given-sockets.ts';

export type EngineMessage =
  | ({ type: 'stage' } & StageEvent)
  | {
      type: 'ready';
      pid: number;
      startedAt: string;
      version: string;
      grpc: { host: string; port: number };
      http: { host: string; port: number };
      metrics: { host: string; port: number } | null;
      databaseUrl: string;
      token: string;
    }
  | { type: 'error'; code: string; message: string; remedy: string | null; details: Record<string, string | number> }
  | { type: 'stopped' };

// Whoever started it may be gone; nobody reads any more, and that is no reason to end.
process.stdout.on('error', () => undefined);

function say(message: EngineMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

const given: EngineOptions = JSON.parse(process.argv[2] ?? '{}');
const databaseUrl = given.databaseUrl ?? process.env['HATCHET_ENGINE_DATABASE_URL'];
const options: EngineOptions = databaseUrl === undefined ? given : { ...given, databaseUrl };
const dataDir = options.dataDir ?? '.hatchet';

/** A stop after an exception that was not caught may hang. */
const lastStopMs = 10_000;
const log = createLog(options.logLevel ?? 'info');
/** Of an edge beside its engine, which writes the files of their data folder. */
const sockets = process.argv.includes('--given-sockets') ? givenSockets() : undefined;
let exitCode = 0;
let stopRequested = false;
let stop = (): void => {
  stopRequested = true;
};
process.on('SIGTERM', () => stop());
process.on('SIGINT', () => stop());
if (process.argv.includes('--control-stdin')) {
  process.stdin.on('end', () => stop());
  process.stdin.on('error', () => stop());
  process.stdin.resume();
}

// A promise that failed with nobody listening is a bug in one call; what it belonged to has failed, and the others go on.
process.on('unhandledRejection', (reason) => {
  faults.unhandledRejections++;
  log.error({ err: reason, code: 'UNHANDLED_REJECTION' }, 'a promise failed and nobody listened: this is a bug');
});
// After an exception that nobody caught, memory may be anything. All state is in Postgres: the process ends in order, and the
// next one begins from there.
process.on('uncaughtException', (error) => {
  log.fatal({ err: error, code: 'UNCAUGHT_EXCEPTION' }, 'the engine ends: an exception was not caught');
  exitCode = 1;
  stop();
  setTimeout(() => process.exit(1), lastStopMs).unref();
});

try {
  const engine = await startEngine(options, (event) => say({ type: 'stage', ...event }), sockets);
  let stopping = false;
  stop = (): void => {
    if (stopping) return;
    stopping = true;
    if (sockets === undefined) removeEngineFile(dataDir);
    void engine.stop().then(
      () => {
        say({ type: 'stopped' });
        process.exit(exitCode);
      },
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  if (stopRequested) {
    stop();
  } else {
    if (sockets === undefined)
      writeEngineFile(dataDir, engine, options.secretKeyFile ?? process.env['HATCHET_ENGINE_SECRET_KEY_FILE']);
    say({
      type: 'ready',
      pid: process.pid,
      startedAt: engine.startedAt.toISOString(),
      version: engine.version,
      grpc: engine.grpc,
      http: engine.http,
      metrics: engine.metrics ?? null,
      databaseUrl: engine.databaseUrl,
      token: engine.token,
    });
  }
} catch (error) {
  if (error instanceof HatchetError) {
    say({
      type: 'error',
      code: error.code,
      message: error.message,
      remedy: error.remedy ?? null,
      details: error.details,
    });
  } else {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    say({ type: 'error', code: 'INTERNAL', message, remedy: null, details: {} });
  }
  process.exit(1);
}
