import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn, type IPty } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { processesIn } from '../helpers/left-behind.ts';
import { makeLinkedProject } from '../helpers/linked-project.ts';
import { cleanEnv, hatchetBin } from '../helpers/run-cli.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';

function terminalEnv(): Record<string, string> {
  const env = Object.entries(cleanEnv()).filter(([name]) => name !== 'CI' && name !== 'NODE_ENV');
  return { ...Object.fromEntries(env), TERM: 'xterm-256color' };
}

/** A terminal as a person has it: what the program writes is interpreted, and the screen can be read. */
class TestTerminal {
  readonly #terminal = new xterm.Terminal({ rows: 30, cols: 100, allowProposedApi: true });
  readonly #pty: IPty;
  readonly exited: Promise<number>;

  constructor(args: readonly string[], cwd: string) {
    this.#pty = spawn(process.execPath, [hatchetBin, ...args], { rows: 30, cols: 100, cwd, env: terminalEnv() });
    this.#pty.onData((data) => this.#terminal.write(data));
    this.exited = new Promise((resolve) => this.#pty.onExit(({ exitCode }) => resolve(exitCode)));
  }

  get isOwnScreen(): boolean {
    return this.#terminal.buffer.active.type === 'alternate';
  }

  screen(): string {
    const { active } = this.#terminal.buffer;
    return Array.from({ length: this.#terminal.rows }, (_, row) => active.getLine(active.viewportY + row)?.translateToString(true) ?? '').join('\n');
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

const folder = makeTempFolder('terminal ui');
let project = '';
let terminal: TestTerminal;

beforeAll(async () => {
  project = await makeLinkedProject(folder, 'dag');
  terminal = new TestTerminal(['dev', '--grpc-port', '0', '--http-port', '0'], project);
});

afterAll(async () => {
  terminal.kill();
  await vi.waitFor(() => expect(processesIn(project)).toEqual([]), { timeout: 15_000 });
  rmSync(folder, { recursive: true, force: true });
});

describe('hatchet dev in a terminal', () => {
  it('comes up on its own screen, and says what to press', async () => {
    await terminal.shows(/worker serving/, 30_000);
    await terminal.shows(/Press t to trigger order/);
    expect(terminal.isOwnScreen).toBe(true);
  });

  it('triggers a run by its form, and refuses what is no JSON', async () => {
    terminal.press('t');
    await terminal.shows(/input +\{\}/);
    terminal.press('\u0015{"customer":"ada","items":[1200,350]');
    await terminal.shows(/350\]/);
    terminal.press('\r');
    await terminal.shows(/not valid JSON/);
    terminal.press('}');
    await terminal.shows(/350\]\}/);
    terminal.press('\r');
    await terminal.shows(/✓ COMPLETED order/);
  });

  it('shows the run as a picture, with its timeline, logs and output', async () => {
    terminal.press('\r');
    await terminal.shows(/✓ check .*┬.*✓ charge .*✓ ship/);
    await terminal.shows(/RUN_FINISHED/);
    terminal.press('l');
    await terminal.shows(/INFO +charge +charging ada 1550 cents/);
    terminal.press('o');
    await terminal.shows(/1 parcel\(s\) sent for ada-1550/);
    terminal.press('\u001b');
    await terminal.shows(/STATUS +WORKFLOW/);
  });

  it('shows a build error while the last good worker serves, and that it is gone', async () => {
    const source = join(project, 'src', 'order.ts');
    const text = readFileSync(source, 'utf8');
    writeFileSync(source, `${text}\nconst broken = ;\n`);
    await terminal.shows(/not built, the last good worker serves: src\/order\.ts:\d+:\d+ Unexpected ";"/);
    writeFileSync(source, `${text}\nconsole.log('reloaded');\n`);
    await terminal.shows(/worker serving \(1 reloads\)/);
    expect(terminal.screen()).not.toContain('not built');
    terminal.press('4');
    await terminal.shows(/worker │ reloaded/);
    terminal.press('1');
  });

  it('holds another size', async () => {
    terminal.resize(80, 24);
    await terminal.shows(/▸ ✓ COMPLETED order/);
    const lines = terminal.screen().split('\n');
    expect(lines.at(-2)).toMatch(/worker serving .*q quit/);
    terminal.resize(100, 30);
    await expect.poll(() => terminal.screen().split('\n').at(-2), { timeout: 10_000 }).toMatch(/q quit/);
  });

  it('ends on q with 0, gives the screen back, and leaves nothing', async () => {
    terminal.press('q');
    expect(await terminal.exited).toBe(0);
    expect(terminal.isOwnScreen).toBe(false);
    await expect.poll(() => processesIn(project), { timeout: 10_000 }).toEqual([]);
  });
});
