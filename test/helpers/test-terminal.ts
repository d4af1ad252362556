import { spawn, type IPty } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { expect } from 'vitest';
import { cleanEnv, hatchetBin } from './run-cli.ts';

function terminalEnv(term: string, extra: Record<string, string> = {}): Record<string, string> {
  const env = Object.entries(cleanEnv(extra)).filter(([name]) => name !== 'CI' && name !== 'NODE_ENV');
  return { ...Object.fromEntries(env), TERM: term };
}

/** A terminal as a person has it: what the program writes is interpreted, and the screen can be read. */
export class TestTerminal {
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  readonly #pty: IPty;
  #written = '';
  readonly exited: Promise<number>;

  /** @param shell a program that the command is typed into, in place of running it */
  constructor(
    args: readonly string[],
    cwd: string,
    shell?: { program: string; args: readonly string[] },
    term = 'xterm-256color',
    { columns = 100, rows = 30, env = {} }: { columns?: number; rows?: number; env?: Record<string, string> } = {},
  ) {
    this.#terminal = new xterm.Terminal({ rows, cols: columns, allowProposedApi: true });
    this.#pty = spawn(
      shell?.program ?? process.execPath,
      shell === undefined ? [hatchetBin, ...args] : [...shell.args],
      { rows, cols: columns, cwd, env: terminalEnv(term, env) },
    );
    this.#pty.onData((data) => {
      this.#written += data;
      this.#terminal.write(data);
    });
    this.exited = new Promise((resolve) => this.#pty.onExit(({ exitCode }) => resolve(exitCode)));
  }

  get isOwnScreen(): boolean {
    return this.#terminal.buffer.active.type === 'alternate';
  }

  /** Of the program that was started in it. */
  get pid(): number {
    return this.#pty.pid;
  }

  /** All that was written to it, as it came. */
  get written(): string {
    return this.#written;
  }

  /** Whether it tells the program what the mouse does. */
  get hasMouse(): boolean {
    return this.#terminal.modes.mouseTrackingMode !== 'none';
  }

  /** Whether a line of the screen was too long, and goes on in the next. */
  get hasWrapped(): boolean {
    const { active } = this.#terminal.buffer;
    return Array.from(
      { length: this.#terminal.rows },
      (_, row) => active.getLine(active.viewportY + row)?.isWrapped ?? false,
    ).includes(true);
  }

  screen(): string {
    const { active } = this.#terminal.buffer;
    return Array.from(
      { length: this.#terminal.rows },
      (_, row) => active.getLine(active.viewportY + row)?.translateToString(true) ?? '',
    ).join('\n');
  }

  press(keys: string): void {
    this.#pty.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  shows(pattern: RegExp, timeout = 20_000): Promise<void> {
    return expect.poll(() => this.screen(), { timeout, interval: 20 }).toMatch(pattern);
  }

  kill(): void {
    this.#pty.kill('SIGKILL');
  }
}
