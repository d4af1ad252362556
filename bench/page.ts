/**
 * The page's list of runs in a browser: 10,000 runs in it, and some 500 changes a second from an engine and a worker.
 * Frames a second, the longest time between two, and what the page holds of memory after each ten seconds.
 * `npm run bench:page [seconds] [runs]`; prints one JSON object. Needs a build.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Hatchet } from '../sdk/index.ts';
import { launchChromium } from '../test/page/helpers/launch-chromium.ts';
import { endProcess, launchEngine } from './launch-engine.ts';

const here = dirname(fileURLToPath(import.meta.url));
const seconds = Number(process.argv[2] ?? 60);
const runs = Number(process.argv[3] ?? 10_000);
const changesPerSecond = 500;
/** RUN_CREATED, QUEUED, ASSIGNED, STARTED, FINISHED, RUN_FINISHED. */
const changesPerRun = 6;
const bulk = 1_000;
const heapEverySeconds = 10;
const tickMs = 100;

const folder = mkdtempSync(join(tmpdir(), 'hatchet-bench-page-'));
const engine = await launchEngine(join(folder, 'data'));
const hatchet = Hatchet.init({ token: engine.token, logLevel: 'OFF' });
const worker = fork(join(here, 'sdk-drain-worker.mjs'), {
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  env: { ...process.env, HATCHET_CLIENT_TOKEN: engine.token, HATCHET_CLIENT_LOG_LEVEL: 'OFF' },
});
const browser = await launchChromium();
try {
  await once(worker, 'message');
  const noop = hatchet.task({ name: 'noop', fn: (input: { i: number }) => input });
  for (let made = 0; made < runs; made += bulk)
    await noop.runNoWait(Array.from({ length: Math.min(bulk, runs - made) }, (_, i) => ({ i })));

  const page = await browser.newPage({
    viewport: { width: 1440, height: 900 },
    baseURL: engine.serverUrl,
    locale: 'en-US',
  });
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  await page.addInitScript(`sessionStorage.setItem('hatchet.token', ${JSON.stringify(engine.token)})`);
  await page.goto('/runs');
  const box = `document.querySelector('.runs-scroll')`;
  await page.locator('.runs-scroll').waitFor();
  const listed = async (): Promise<number> =>
    Number(await page.locator('[role="table"]').getAttribute('aria-rowcount')) - 1;
  for (const end = Date.now() + 120_000; (await listed()) < runs;) {
    if (Date.now() > end) throw new Error(`the page lists ${await listed()} of ${runs} runs`);
    await page.evaluate(`${box}.scrollTop = ${box}.scrollHeight`);
    await delay(50);
  }
  await page.evaluate(`${box}.scrollTop = 0`);
  await page.evaluate(`
    window.benchFrames = [];
    (function frame(now) { window.benchFrames.push(now); requestAnimationFrame(frame); })(performance.now());
  `);

  const heapMb = async (): Promise<number> => {
    await session.send('HeapProfiler.collectGarbage');
    const { metrics } = await session.send('Performance.getMetrics');
    const used = metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value ?? NaN;
    return Math.round(used / 1024 / 102.4) / 10;
  };
  const heap = [await heapMb()];
  const beganAt = performance.now();
  let triggered = 0;
  for (let elapsed = 0; elapsed < seconds * 1_000; elapsed = performance.now() - beganAt) {
    const due = Math.floor(((elapsed / 1_000) * changesPerSecond) / changesPerRun);
    if (due > triggered)
      await noop.runNoWait(Array.from({ length: due - triggered }, (_, i) => ({ i: triggered + i })));
    triggered = Math.max(triggered, due);
    if (elapsed > heap.length * heapEverySeconds * 1_000) heap.push(await heapMb());
    await delay(tickMs);
  }
  const took = (performance.now() - beganAt) / 1_000;
  const frames: unknown = await page.evaluate('window.benchFrames');
  const times = Array.isArray(frames) ? frames.map(Number) : [];
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time));
  gaps.sort((a, b) => a - b);
  process.stdout.write(
    `${JSON.stringify({
      runs,
      seconds: Math.round(took),
      changes_per_second: Math.round((triggered * changesPerRun) / took),
      frames_per_second: Math.round((times.length / ((times.at(-1) ?? 0) - (times[0] ?? 0))) * 1_000),
      frame_ms: { p50: round(gaps, 0.5), p99: round(gaps, 0.99), max: round(gaps, 1) },
      heap_mb: heap,
      rows_in_document: await page.locator('.runs-rows [role="row"]').count(),
    })}\n`,
  );
} finally {
  await browser.close();
  hatchet.close();
  await endProcess(worker);
  await endProcess(engine.child);
  rmSync(folder, { recursive: true, force: true });
}

function round(sorted: readonly number[], part: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
}
