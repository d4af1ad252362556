// Draws docs/pictures/page-*.png: the page of a real engine with a shop's workflows, as guides and the README show it.
// `npx tsx scripts/page-pictures.ts`, after `npm run build`; run it when the look of the page has changed.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { deleteData, startEngine } from '../engine/index.ts';
import { Hatchet, RateLimitDuration } from '../sdk/index.ts';
import { launchChromium } from '../test/page/helpers/launch-chromium.ts';

const out = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs', 'pictures');
const folder = mkdtempSync(join(tmpdir(), 'hatchet-pictures-'));
const dataDir = join(folder, 'data');

function shop(hatchet: Hatchet) {
  const order = hatchet.workflow<{ order: number }>({ name: 'order', description: 'From the till to the parcel' });
  const check = order.task({ name: 'check', fn: async ({ order: id }) => (await delay(40), { order: id }) });
  const charge = order.task({
    name: 'charge',
    parents: [check],
    retries: 1,
    rateLimits: [{ staticKey: 'card-provider', units: 1 }],
    fn: async ({ order: id }, ctx) => {
      await ctx.log(`charging order ${id}`);
      await delay(120);
      if (id % 6 === 5) throw new Error(`order ${id}: the card was declined`);
      return { charged: true };
    },
  });
  const reserve = order.task({ name: 'reserve', parents: [check], fn: async () => (await delay(80), { shelf: 7 }) });
  order.task({ name: 'ship', parents: [charge, reserve], fn: async () => (await delay(60), { parcel: 'P-41' }) });
  const mail = hatchet.task({
    name: 'mail',
    onCrons: ['0 9 * * *'],
    fn: async () => (await delay(20), { sent: true }),
  });
  const report = hatchet.task({
    name: 'report',
    executionTimeout: '1h',
    concurrency: { expression: 'input.customer', maxRuns: 1 },
    fn: (_input: { customer: string }, ctx) =>
      new Promise<object>((resolve) => {
        ctx.abortController.signal.addEventListener('abort', () => resolve({}));
      }),
  });
  return { order, mail, report };
}

async function fill(hatchet: Hatchet): Promise<string> {
  const { order, mail, report } = shop(hatchet);
  await hatchet.ratelimits.upsert({ key: 'card-provider', limit: 100, duration: RateLimitDuration.MINUTE });
  const worker = await hatchet.worker('shop', { workflows: [order, mail, report], slots: 20, handleKill: false });
  void worker.start();
  await worker.waitUntilReady();
  await Promise.all(['ada', 'ada', 'bob', 'bob', 'eve'].map((customer) => report.runNoWait({ customer })));
  let last = '';
  for (let n = 1; n <= 14; n++) {
    const run = await order.runNoWait({ order: n });
    await run.result().catch(() => undefined);
    if (n % 6 !== 5) last = await run.runId;
    if (n % 3 === 0) await mail.run({});
  }
  return last;
}

async function draw(browser: Browser, origin: string, token: string, runId: string): Promise<void> {
  const views: [name: string, path: string, theme: 'light' | 'dark', ready: (page: Page) => Promise<unknown>][] = [
    ['page-runs', '/runs', 'light', (page) => page.getByText('the card was declined').first().waitFor()],
    ['page-run', `/runs/${runId}?task=ship`, 'light', (page) => page.getByText('P-41').first().waitFor()],
    // A line needs some seconds to be one.
    ['page-queues', '/queues', 'dark', () => delay(8_000)],
  ];
  mkdirSync(out, { recursive: true });
  for (const [name, path, colorScheme, ready] of views) {
    const page = await browser.newPage({
      viewport: { width: 1200, height: 720 },
      baseURL: origin,
      locale: 'en-US',
      colorScheme,
    });
    await page.addInitScript(`sessionStorage.setItem('hatchet.token', ${JSON.stringify(token)})`);
    await page.goto(path);
    await ready(page);
    await page.screenshot({ path: join(out, `${name}.png`) });
    await page.close();
  }
}

const engine = await startEngine({ dataDir, grpcPort: 0, httpPort: 0, logLevel: 'error' });
const hatchet = Hatchet.init({ token: engine.token, logLevel: 'OFF' });
const browser = await launchChromium();
try {
  const runId = await fill(hatchet);
  await draw(browser, `http://${engine.http.host}:${engine.http.port}`, engine.token, runId);
} finally {
  await browser.close();
  hatchet.close();
  await engine.stop();
  await deleteData(dataDir);
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
