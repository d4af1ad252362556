import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from '../../scripts/build.mjs';

export const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const bin = join(repository, 'bin', 'hatchet');

/** The command runs from dist, as users run it. */
export async function buildOnce(): Promise<void> {
  await build({ types: false });
}

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  stdin?: string;
}

/** Nothing of the machine's own configuration may reach a test. */
function cleanEnv(extra: Record<string, string> | undefined): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(HATCHET_|DATABASE_URL$|VITEST|NODE_ENV$|FORCE_COLOR$|NO_COLOR$|CI$)/.test(name));
  return { ...Object.fromEntries(kept), ...extra };
}

/** Runs a command line to its end. */
export function hatchet(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], { cwd: options.cwd ?? repository, env: cleanEnv(options.env) });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
    child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.stdin ?? '');
  });
}

export interface Running {
  child: ChildProcess;
  pid: number;
  /** All of stdout and stderr so far. */
  text(): string;
  stdoutLines(): string[];
  /** Resolves once the output matches, from `since` characters on; fails with the whole output when the process ends before. */
  until(pattern: RegExp, options?: { since?: number }): Promise<string>;
  exited: Promise<number | null>;
}

/** Starts a command line that goes on. */
export function startHatchet(args: readonly string[], options: RunOptions = {}): Running {
  const child = spawn(process.execPath, [bin, ...args], { cwd: options.cwd ?? repository, env: cleanEnv(options.env), stdio: ['ignore', 'pipe', 'pipe'] });
  let all = '';
  let stdout = '';
  const listeners = new Set<() => void>();
  const note = (part: Buffer, isData: boolean): void => {
    all += part.toString();
    if (isData) stdout += part.toString();
    for (const listener of listeners) listener();
  };
  child.stdout.on('data', (part: Buffer) => note(part, true));
  child.stderr.on('data', (part: Buffer) => note(part, false));
  let ended = false;
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      ended = true;
      for (const listener of listeners) listener();
      resolve(code);
    });
  });
  return {
    child,
    pid: child.pid ?? 0,
    text: () => all,
    stdoutLines: () => stdout.split('\n').filter((line) => line !== ''),
    exited,
    until: (pattern, { since = 0 } = {}) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(all.slice(since));
          if (match !== null) {
            listeners.delete(look);
            resolve(match[0]);
          } else if (ended) {
            listeners.delete(look);
            reject(new Error(`the command ended before it printed ${pattern}:\n${all}`));
          }
        };
        listeners.add(look);
        look();
      }),
  };
}

export interface TestFolder {
  path: string;
  remove(): void;
}

/** A folder of a test's own, with a space in its name. */
export function makeFolder(): TestFolder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'hatchet test ')));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** A project from a template, with this checkout as its package. */
export async function makeProject(folder: string, template: string): Promise<string> {
  const made = await hatchet(['init', 'demo', '--template', template, '--yes'], { cwd: folder });
  if (made.code !== 0) throw new Error(made.stderr);
  const project = join(folder, 'demo');
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(repository, join(project, 'node_modules', 'hatchet-ts'), 'dir');
  return project;
}

/** Ports that were free a moment ago. */
export async function freePorts(): Promise<{ grpc: number; http: number }> {
  const [grpc, http] = await Promise.all([freePort(), freePort()]);
  return { grpc, http };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
