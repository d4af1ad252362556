/**
 * The terminal UI in a terminal of 120×40, on 10,000 runs: frames a second while it scrolls, and from a committed change
 * to the screen that shows it; and what its open views ask of Postgres while nothing happens.
 * `npm run bench:ui [runs]`; prints one JSON object. Needs a build.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { spawn as spawnPty, type IPty } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { ConcurrencyLimitStrategy, Hatchet } from '../sdk/index.ts';
import { idleRate } from './idle-rate.ts';
import { endProcess, launchEngine } from './launch-engine.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const runs = Number(process.argv[2] ?? 10_000);
const bulk = 1_000;
const frames = 300;
if (!Number.isInteger(runs) || runs <= frames) {
  process.stderr.write(`npm run bench:ui [runs]: a whole number over ${frames}, the rows that it scrolls by\n`);
  process.exit(2);
}
const changes = 40;
const idleSeconds = 20;
const size = { rows: 40, cols: 120 };
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A terminal whose screen can be waited for. */
class Terminal {
  readonly #terminal = new xterm.Terminal({ ...size, allowProposedApi: true });
  readonly #pty: IPty;
  #onChange: () => void = () => undefined;

  constructor(token: string) {
    const env = {
      ...process.env,
      TERM: 'xterm-256color',
      HATCHET_CLIENT_TOKEN: token,
      HATCHET_CLIENT_TLS_STRATEGY: 'none',
    };
    this.#pty = spawnPty(process.execPath, [join(root, 'bin/hatchet'), 'tui'], { ...size, env });
    this.#pty.onData((data) => this.#terminal.write(data, () => this.#onChange()));
  }

  line(row: number): string {
    return this.#terminal.buffer.active.getLine(row)?.translateToString(true) ?? '';
  }

  screen(): string {
    return Array.from({ length: size.rows }, (_, row) => this.line(row)).join('\n');
  }

  press(keys: string): void {
    this.#pty.write(keys);
  }

  async until(isThere: (screen: string) => boolean, limitMs = 10_000): Promise<void> {
    const end = performance.now() + limitMs;
    while (!isThere(this.screen())) {
      if (performance.now() > end) throw new Error(`the screen does not show what it should:\n${this.screen()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.#onChange = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  end(): void {
    this.#pty.kill('SIGKILL');
  }
}

const quantile = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? 0;

/** The line that the cursor is on. Of whole screens two differ every second, by the ages that they show. */
const chosen = (screen: string): string => /^▸.*? ([\da-f-]{36})/m.exec(screen)?.[1] ?? '';

/** One key a frame, each after the screen has answered the last: what a held key can do at most. */
async function scroll(terminal: Terminal, key: string): Promise<{ perSecond: number; p99Ms: number }> {
  const took: number[] = [];
  for (let frame = 0; frame < frames; frame++) {
    const before = chosen(terminal.screen());
    const startedAt = performance.now();
    terminal.press(key);
    await terminal.until((screen) => chosen(screen) !== before);
    took.push(performance.now() - startedAt);
  }
  return {
    perSecond: Math.round((1000 * took.length) / took.reduce((sum, ms) => sum + ms, 0)),
    p99Ms: Math.round(quantile(took, 0.99)),
  };
}

const folder = mkdtempSync(join(tmpdir(), 'hatchet-bench-ui-'));
const dataDir = join(folder, 'data');
const engine = await launchEngine(dataDir);
const hatchet = Hatchet.init({ token: engine.token, logger: () => quiet });
const terminal = new Terminal(engine.token);
try {
  const waits = hatchet.task({
    name: 'waits',
    concurrency: { expression: 'input.key', maxRuns: 1, limitStrategy: ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN },
    fn: (input: { key: string }) => input,
  });
  // Registers the workflow; nobody runs it.
  await hatchet.worker('bench', { handleKill: false, workflows: [waits] });
  const ids: string[] = [];
  while (ids.length < runs) {
    const refs = await waits.runNoWait(
      Array.from({ length: Math.min(bulk, runs - ids.length) }, (_, index) => ({ key: `key ${index % 500}` })),
    );
    ids.push(...refs.map(({ workflowRunId }) => workflowRunId));
  }
  await terminal.until((screen) => screen.includes('waits'));

  // Each key goes to the last row that is loaded and asks for the next page, until the first run is there.
  for (const end = performance.now() + 60_000; chosen(terminal.screen()) !== ids[0];) {
    if (performance.now() > end) throw new Error(`the oldest run does not come:\n${terminal.screen()}`);
    terminal.press('G');
    await delay(50);
  }
  const up = await scroll(terminal, 'k');
  const toFirst = async (): Promise<void> => {
    terminal.press('g');
    await terminal.until((screen) => chosen(screen) === ids.at(-1));
  };
  await toFirst();
  const down = await scroll(terminal, 'j');
  await toFirst();

  const seen: number[] = [];
  for (let change = 0; change < changes; change++) {
    const runId = await (await waits.runNoWait({ key: 'fresh' })).runId;
    const answeredAt = performance.now();
    await terminal.until((screen) => screen.includes(runId));
    seen.push(performance.now() - answeredAt);
    await delay(100);
  }

  terminal.press('4');
  await terminal.until((screen) => screen.includes('CONCURRENCY KEY'));
  const queue: number[] = [];
  for (let change = 0; change < changes; change++) {
    const before = / waits:waits +\d+ +\d+ +(\d+)/.exec(terminal.screen())?.[1];
    await waits.runNoWait({ key: 'fresh' });
    const answeredAt = performance.now();
    await terminal.until((screen) => / waits:waits +\d+ +\d+ +(\d+)/.exec(screen)?.[1] !== before);
    queue.push(performance.now() - answeredAt);
    await delay(300);
  }
  await delay(3_000);
  const watched = await idleRate(engine.databaseUrl, dataDir, idleSeconds);
  terminal.end();
  await delay(1_000);
  const alone = await idleRate(engine.databaseUrl, dataDir, idleSeconds);
  const ms = (values: readonly number[]) => ({
    p50: Math.round(quantile(values, 0.5)),
    max: Math.round(Math.max(...values)),
  });
  process.stdout.write(
    `${JSON.stringify({ runs, scroll_up: up, scroll_down: down, run_to_screen_ms: ms(seen), queue_to_screen_ms: ms(queue), idle_statements_per_s: { watched, alone } })}\n`,
  );
} finally {
  terminal.end();
  hatchet.close();
  await endProcess(engine.child);
  rmSync(folder, { recursive: true, force: true });
}
