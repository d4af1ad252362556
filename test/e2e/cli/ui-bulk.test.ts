import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineProcessFixture } from '../../helpers/engine-fixture.ts';
import { printed } from '../../helpers/printed.ts';
import { hatchetBin, runCli } from '../../helpers/run-cli.ts';
import { TestTerminal } from '../../helpers/test-terminal.ts';

/** The mouse is off, and nothing was written after that but that the cursor is shown. */
// oxlint-disable-next-line no-control-regex
const endsWithoutMouse = /\u001b\[\?1006l\u001b\[\?1000l(?:\u001b\[\?25h)*$/;
const fixture = engineProcessFixture('ui bulk');
let terminal: TestTerminal;

async function statuses(): Promise<string[]> {
  const { rows } = printed(await runCli(['runs', 'list', '-o', 'json', '--data-dir', fixture.dataDir], { cwd: '/' }));
  return rows.map(({ status }) => status);
}

/** As the terminal tells of it: lines and columns are counted from 1. */
function mouse(button: number, row: number, column = 8): string {
  return `\u001b[<${button};${column + 1};${row + 1}M`;
}

function rowOf(text: string | RegExp): number {
  const row = terminal
    .screen()
    .split('\n')
    .findIndex((line) => (typeof text === 'string' ? line.includes(text) : text.test(line)));
  if (row < 0) throw new Error(`${String(text)} is not on the screen:\n${terminal.screen()}`);
  return row;
}

const line = (row: number): string => terminal.screen().split('\n')[row] ?? '';

/** Codes that choose a colour, of text or ground. */
function colours(written: string): string[] {
  // oxlint-disable-next-line no-control-regex
  return [...written.matchAll(/\u001b\[([\d;:]*)m/g)]
    .flatMap(([, codes = '']) => codes.split(';'))
    .filter((code) => /^(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?::|$)/.test(code));
}

beforeAll(async () => {
  const { hatchet } = fixture;
  const breaks = hatchet.task({
    name: 'breaks',
    fn: () => {
      throw new Error('it broke');
    },
  });
  // Nobody serves it.
  const waits = hatchet.task({
    name: 'waits',
    desiredWorkerLabels: { place: { value: 'nowhere', required: true } },
    fn: () => ({}),
  });
  const worker = await fixture.serve('early', { workflows: [breaks, waits] });
  await breaks.run({}).catch(() => undefined);
  for (let n = 0; n < 6; n++) await waits.runNoWait({});
  await worker.stop();
  terminal = new TestTerminal(['tui', '--data-dir', fixture.dataDir], '/');
});

afterAll(() => terminal.kill());

describe('many runs in the terminal UI', () => {
  it('are marked one by one, and cancelled together', async () => {
    await terminal.shows(/QUEUED +waits[^]*FAILED +breaks/);
    terminal.press(' jj j ');
    await terminal.shows(/STATUS .* 3 marked\n \*○ QUEUED.*\n {2}○ QUEUED.*\n \*○ QUEUED.*\n▸\*○ QUEUED/);
    terminal.press('x');
    await terminal.shows(/Cancel 3 runs\? \(3 of waits\)/);
    terminal.press('y');
    await terminal.shows(/Cancelled 3 runs\./);
    terminal.press('\r');
    await terminal.shows(/ {2}⊘ CANCELLED waits.*\n {2}○ QUEUED.*\n {2}⊘ CANCELLED waits.*\n▸ ⊘ CANCELLED waits/);
    expect((await statuses()).sort()).toEqual([...Array(3).fill('CANCELLED'), 'FAILED', ...Array(3).fill('QUEUED')]);
  });

  it('are taken by what the filter means, and what is refused is told', async () => {
    terminal.press('/workflow:waits');
    await terminal.shows(/search: workflow:waits *\n(?:.*\n)*.*1 of 6/);
    terminal.press('\r');
    await expect.poll(() => terminal.screen()).not.toContain('search: ');
    terminal.press('A');
    await terminal.shows(/ 6 marked\n/);
    terminal.press('x');
    await terminal.shows(/Cancel 6 runs\? \(6 of waits\) +│\n│ 3 of them ended before/);
    terminal.press('y');
    await terminal.shows(/Cancelled 3 runs\. +│\n│ Refused 3: 3 CANCELLED before\./);
    terminal.press('\r');
    await expect.poll(() => terminal.screen()).not.toContain('Refused');
    terminal.press('A');
    await terminal.shows(/ 6 marked\n/);
    terminal.press('R');
    await terminal.shows(/Replay 6 runs\? \(6 of waits\)/);
    terminal.press('y');
    await terminal.shows(/Replayed 6 runs\./);
    terminal.press('\r');
    await expect.poll(async () => (await statuses()).sort()).toEqual(['FAILED', ...Array(6).fill('QUEUED')]);
    terminal.press('\u001b');
    await terminal.shows(/FAILED +breaks/);
  });
});

describe('the mouse in the terminal UI', () => {
  it('scrolls, chooses and opens', async () => {
    await terminal.shows(/FAILED +breaks/);
    expect(terminal.hasMouse).toBe(true);
    const row = rowOf(/FAILED +breaks/);
    terminal.press(mouse(0, row));
    await expect.poll(() => line(row)).toMatch(/^▸ ✗ FAILED +breaks/);
    terminal.press(mouse(64, row));
    await expect.poll(() => line(row - 1)).toMatch(/^▸ ○ QUEUED/);
    terminal.press(mouse(65, row) + mouse(0, row));
    await terminal.shows(/▸\[f\]ailure[^]*Error: it broke/);
    terminal.press(mouse(0, 0, 12));
    await terminal.shows(/STATUS +WORKFLOW/);
  });

  it('types nothing into a text, however its reports are cut', async () => {
    await terminal.shows(/FAILED +breaks/);
    terminal.press('/');
    await terminal.shows(/search:/);
    terminal.press('wa\u001b[<65;1');
    terminal.press('0;5M\u001b[<0;10;99m\u001b[<35;4;4Mi');
    await terminal.shows(/search: wai *\n/);
    terminal.press('\u001b');
    await terminal.shows(/FAILED +breaks/);
  });

  it('is left to the terminal by M, and for good when the UI is left by q', async () => {
    await terminal.shows(/FAILED +breaks/);
    terminal.press('M');
    await terminal.shows(/M brings it back here/);
    expect(terminal.hasMouse).toBe(false);
    terminal.press('M');
    await terminal.shows(/M leaves it to the terminal/);
    expect(terminal.hasMouse).toBe(true);
    terminal.press('q');
    expect(await terminal.exited).toBe(0);
    await expect.poll(() => terminal.written.slice(-100)).toMatch(endsWithoutMouse);
    expect([terminal.isOwnScreen, terminal.hasMouse]).toEqual([false, false]);
    // Everything until here was drawn under NO_COLOR.
    expect(colours(terminal.written)).toEqual([]);
  });

  it('is left by SIGTERM too; and without NO_COLOR there are colours', async () => {
    terminal = new TestTerminal(['tui', '--data-dir', fixture.dataDir], '/', undefined, 'xterm-256color', {
      env: { NO_COLOR: '' },
    });
    await terminal.shows(/FAILED +breaks/);
    expect(terminal.hasMouse).toBe(true);
    process.kill(terminal.pid, 'SIGTERM');
    expect(await terminal.exited).not.toBe(0);
    await expect.poll(() => terminal.written.slice(-100)).toMatch(endsWithoutMouse);
    expect([terminal.isOwnScreen, terminal.hasMouse]).toEqual([false, false]);
    expect(colours(terminal.written)).not.toEqual([]);
  });

  it('is left after a crash', async () => {
    const fault = "process.once('SIGUSR2', () => { throw new Error('a fault of its own'); })";
    terminal = new TestTerminal([], '/', {
      program: process.execPath,
      args: [
        '--import',
        `data:text/javascript,${encodeURIComponent(fault)}`,
        hatchetBin,
        'tui',
        '--data-dir',
        fixture.dataDir,
      ],
    });
    await terminal.shows(/FAILED +breaks/);
    expect(terminal.hasMouse).toBe(true);
    process.kill(terminal.pid, 'SIGUSR2');
    expect(await terminal.exited).not.toBe(0);
    await terminal.shows(/a fault of its own/);
    expect([terminal.isOwnScreen, terminal.hasMouse]).toEqual([false, false]);
  });
});
