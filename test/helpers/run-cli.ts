import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { packageRoot } from './engine-process.ts';

export const hatchetBin = join(packageRoot, 'bin', 'hatchet');

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  cwd: string;
  env?: Record<string, string>;
  input?: string;
}

/** The environment without what would point the command at some other engine. */
export function cleanEnv(extra: Record<string, string> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !entry[0].startsWith('HATCHET_') && entry[0] !== 'DATABASE_URL',
  );
  // Nor the profiles of whoever runs the tests.
  return { ...Object.fromEntries(kept), NO_COLOR: '1', HATCHET_CONFIG_DIR: join(packageRoot, 'no-profiles'), ...extra };
}

/** Runs a command of the built CLI to its end. */
export function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  return runProgram(process.execPath, [hatchetBin, ...args], options);
}

export function runProgram(program: string, args: readonly string[], options: CliOptions): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: cleanEnv(options.env),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => {
      stdout += data.toString();
    });
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** What a failed test did not come to end. Their own children end with them. */
const sessions = new Set<CliSession>();
afterAll(async () => {
  for (const session of sessions) await session.end('SIGKILL');
  sessions.clear();
});

/** A long-running command, with what it has printed so far. */
export class CliSession {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], options: CliOptions) {
    this.child = spawn(process.execPath, [hatchetBin, ...args], {
      cwd: options.cwd,
      env: cleanEnv(options.env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    sessions.add(this);
    this.child.stdout?.on('data', (data: Buffer) => {
      this.stdout += data.toString();
    });
    this.child.stderr?.on('data', (data: Buffer) => {
      this.stderr += data.toString();
    });
  }

  get output(): string {
    return this.stdout + this.stderr;
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise<void>((resolve) => this.child.once('close', () => resolve()));
      this.child.kill(signal);
      await ended;
    }
    return this.child.exitCode;
  }
}
