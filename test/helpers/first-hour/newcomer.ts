import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { isListening, leftFiles, processesIn } from '../left-behind.ts';
import { descendants, running } from '../process-tree.ts';
import { TestTerminal } from '../test-terminal.ts';
import { misfits } from './misfits.ts';

const size = { columns: 80, rows: 24 };

/** Somebody at a shell in a terminal of 80×24, who types what the README says and believes what is on the screen. */
export class Newcomer {
  readonly project: string;
  readonly terminal: TestTerminal;
  /** The number in the shell's next prompt. */
  #prompt = 1;

  constructor(folder: string) {
    this.project = join(folder, 'demo');
    this.terminal = new TestTerminal(
      [],
      folder,
      { program: 'bash', args: ['--norc', '--noprofile', '-i'] },
      'xterm-256color',
      size,
    );
  }

  /** Types a command, and waits for its end. */
  async enter(
    command: string,
    { code = 0, timeout = 60_000 }: { code?: number; timeout?: number } = {},
  ): Promise<void> {
    await this.begin(command);
    await this.prompted(code, timeout);
  }

  /** Types a command that goes on. */
  async begin(command: string): Promise<void> {
    if (this.#prompt === 1) {
      // The number of the command that is asked for, and how the last one ended.
      this.terminal.press(String.raw`PS1='[\# $?]'`);
      this.terminal.press('\r');
      await this.prompted(0, 20_000);
    }
    this.terminal.press(`${command}\r`);
  }

  async prompted(code: number, timeout: number): Promise<void> {
    this.#prompt++;
    const ended = new RegExp(`^\\[${this.#prompt} (\\d+)\\]$`, 'm');
    await this.#until(timeout, (screen) =>
      ended.test(screen) ? [] : [`the shell does not ask for command ${this.#prompt}`],
    );
    expect(ended.exec(this.terminal.screen())?.[1], this.terminal.screen()).toBe(String(code));
  }

  /** What is on the screen of the terminal UI, all at once, in a frame that fits. */
  async sees(...wanted: readonly RegExp[]): Promise<void> {
    await this.seesWithin(30_000, ...wanted);
  }

  async seesWithin(timeout: number, ...wanted: readonly RegExp[]): Promise<void> {
    await this.#until(timeout, (screen) => [
      ...wanted.filter((pattern) => !pattern.test(screen)).map((pattern) => `missing: ${String(pattern)}`),
      ...misfits(screen, size),
      ...(this.terminal.hasWrapped ? ['a line is longer than the terminal is wide'] : []),
    ]);
  }

  async seesNothingOf(unwanted: RegExp): Promise<void> {
    await this.#until(30_000, (screen) =>
      unwanted.test(screen) ? [`still there: ${String(unwanted)}`] : misfits(screen, size),
    );
  }

  press(keys: string): void {
    this.terminal.press(keys);
  }

  edit(file: string, from: string, to: string): void {
    const path = join(this.project, file);
    const text = readFileSync(path, 'utf8');
    expect(text).toContain(from);
    writeFileSync(path, text.replace(from, to));
  }

  /** As an error names it: a file of the project, and the line where a text stands in it. */
  placeOf(file: string, text: string): RegExp {
    const line = readFileSync(join(this.project, file), 'utf8').split(text)[0]?.split('\n').length ?? 0;
    return new RegExp(`${file}(?::|", line )${line}\\b`);
  }

  /** Ctrl+C: the shell has the screen again, and nothing is left of what ran. */
  async interrupt(): Promise<void> {
    const ports = [
      ...readFileSync(join(this.project, '.hatchet', 'engine.json'), 'utf8').matchAll(/127\.0\.0\.1:(\d+)/g),
    ].map((match) => Number(match[1]));
    expect(ports).toHaveLength(3);
    expect(ports.filter(isListening)).toEqual(ports);
    this.press('\u0003');
    await this.prompted(130, 30_000);
    expect(this.terminal.isOwnScreen).toBe(false);
    await expect.poll(() => processesIn(this.project), { interval: 50 }).toEqual([]);
    expect(running(descendants(this.terminal.pid))).toEqual([]);
    expect(leftFiles(this.project)).toEqual([]);
    expect(ports.filter(isListening)).toEqual([]);
  }

  /** Whatever state it is in. */
  async leave(): Promise<void> {
    this.terminal.kill();
    if (existsSync(this.project)) await expect.poll(() => processesIn(this.project), { interval: 50 }).toEqual([]);
  }

  /** @param problems of the screen; none once it is as it should be */
  async #until(timeout: number, problems: (screen: string) => readonly string[]): Promise<void> {
    const report = (): string => {
      const screen = this.terminal.screen();
      const found = problems(screen);
      return found.length === 0 ? '' : `${found.join('\n')}\n${screen}`;
    };
    await expect.poll(report, { timeout, interval: 20 }).toBe('');
  }
}
