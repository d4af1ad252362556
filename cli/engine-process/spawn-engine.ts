import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { EngineOptions, StageEvent } from '../../engine/index.ts';
import { CliError } from '../cli-error.ts';
import { ExitCode, exitCodeOf } from '../exit-codes.ts';
import { engineEntry } from '../package-root.ts';
import { isRecord } from '../project/json-value.ts';

/** A private name: a project's own DATABASE_URL must not reach an engine that was not told to use it. */
const databaseVariable = 'HATCHET_ENGINE_DATABASE_URL';
const logLimitBytes = 20 * 1024 * 1024;

export interface EngineReady {
  pid: number;
  startedAt: string;
  version: string;
  grpc: { host: string; port: number };
  http: { host: string; port: number };
  databaseUrl: string;
  token: string;
}

export interface EngineProcess {
  pid: number;
  /** Rejects with a CliError when the engine could not start, and says why. */
  ready: Promise<EngineReady>;
  /** Resolves once the process is gone. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Closes the control pipe and waits for the end; after `limitMs` (default 20,000) the process is killed. Idempotent. */
  stop(limitMs?: number): Promise<void>;
  /** Lets it live on without this process. */
  release(): void;
}

export interface SpawnEngineOptions {
  engine: EngineOptions & { dataDir: string };
  /** Where its log goes: this process's stderr, or `<data-dir>/engine.log`. */
  log: 'stderr' | 'file';
  /** It outlives this process. Otherwise it stops when this process is gone, however that ends. */
  detached: boolean;
  onStage?: (event: StageEvent) => void;
}

export function engineLogPath(dataDir: string): string {
  return join(dataDir, 'engine.log');
}

function openLog(dataDir: string): number {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = engineLogPath(dataDir);
  if (existsSync(path) && statSync(path).size > logLimitBytes) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
}

/** Starts an engine as a process of its own. */
export function spawnEngine(options: SpawnEngineOptions): EngineProcess {
  const { databaseUrl, ...rest } = options.engine;
  const env = { ...process.env };
  if (databaseUrl === undefined) Reflect.deleteProperty(env, databaseVariable);
  else env[databaseVariable] = databaseUrl;
  const log = options.log === 'file' ? openLog(options.engine.dataDir) : 2;
  const args = [engineEntry(), JSON.stringify(rest), ...(options.detached ? [] : ['--control-stdin'])];
  const child = spawn(process.execPath, ['--enable-source-maps', ...args], {
    // Its own process group: Ctrl+C reaches the command alone, which then stops things in order.
    detached: true,
    windowsHide: true,
    stdio: [options.detached ? 'ignore' : 'pipe', 'pipe', log],
    env,
  });
  if (log !== 2) closeSync(log);
  return watch(child, options);
}

function watch(child: ChildProcess, options: SpawnEngineOptions): EngineProcess {
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: -1, signal: null }));
  });
  const ready = new Promise<EngineReady>((resolve, reject) => {
    const { stdout } = child;
    if (stdout === null) throw new Error('the engine was spawned without a pipe for its messages');
    createInterface({ input: stdout }).on('line', (line) => {
      const message = parseMessage(line);
      if (message === undefined) return;
      if (message.type === 'ready') resolve(message.ready);
      else if (message.type === 'stage') options.onStage?.(message.stage);
      else reject(message.error);
    });
    void exited.then(({ code, signal }) => {
      const how = signal === null ? `exit code ${code}` : signal;
      reject(
        new CliError(`the engine ended before it was ready (${how})`, {
          remedy: options.log === 'file' ? `Read ${engineLogPath(options.engine.dataDir)}.` : undefined,
        }),
      );
    });
  });
  ready.catch(() => undefined); // a caller that only waits for the exit must not see an unhandled rejection
  child.stdin?.on('error', () => undefined);
  let stopping: Promise<void> | undefined;
  return {
    pid: child.pid ?? 0,
    ready,
    exited,
    stop(limitMs = 20_000) {
      stopping ??= (async () => {
        if (child.stdin === null) child.kill('SIGTERM');
        else child.stdin.end();
        const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
        await exited;
        clearTimeout(timer);
      })();
      return stopping;
    },
    release() {
      child.stdout?.destroy();
      child.unref();
    },
  };
}

type Message =
  | { type: 'ready'; ready: EngineReady }
  | { type: 'stage'; stage: StageEvent }
  | { type: 'error'; error: CliError };

/** Lines of engine/main.ts's protocol. */
function parseMessage(line: string): Message | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  switch (value['type']) {
    case 'ready': {
      const { pid, startedAt, version, grpc, http, databaseUrl, token } = value;
      const [at, web] = [parseAddress(grpc), parseAddress(http)];
      if (
        typeof pid !== 'number' ||
        typeof startedAt !== 'string' ||
        typeof version !== 'string' ||
        typeof databaseUrl !== 'string' ||
        typeof token !== 'string'
      )
        return undefined;
      return at === undefined || web === undefined
        ? undefined
        : { type: 'ready', ready: { pid, startedAt, version, grpc: at, http: web, databaseUrl, token } };
    }
    case 'stage': {
      const { stage, status, ms, detail } = value;
      if (stage !== 'postgres' && stage !== 'migrations' && stage !== 'engine') return undefined;
      if (status !== 'started' && status !== 'done') return undefined;
      return { type: 'stage', stage: { stage, status, ms: Number(ms), detail: String(detail) } };
    }
    case 'error':
      return { type: 'error', error: engineError(value) };
    default:
      return undefined;
  }
}

function parseAddress(value: unknown): { host: string; port: number } | undefined {
  if (!isRecord(value)) return undefined;
  const { host, port } = value;
  return typeof host === 'string' && typeof port === 'number' ? { host, port } : undefined;
}

function engineError(value: Record<string, unknown>): CliError {
  const code = typeof value['code'] === 'string' ? value['code'] : 'INTERNAL';
  const message = typeof value['message'] === 'string' ? value['message'] : 'the engine could not start';
  const remedy = typeof value['remedy'] === 'string' ? value['remedy'] : undefined;
  return new CliError(
    code === 'INTERNAL' ? `the engine failed while it started; this is a bug.\n${message}` : message,
    { exitCode: code === 'INTERNAL' ? ExitCode.failed : exitCodeOf(code), remedy },
  );
}
