import { launchChromium } from '../test/page/helpers/launch-chromium.ts';
import { launchEngine, endProcess } from './launch-engine.ts';
import { Hatchet } from '../sdk/index.ts';
import { sampleWorkflows } from '../test/page/helpers/sample-workflows.ts';
import { mkdtempSync, rmSync, mkdirSync } from 'node:fs';
const dir = mkdtempSync('/tmp/shots-');
const engine = await launchEngine(dir + '/data', { engine: { allowSkip: true } });
const hatchet = Hatchet.init({ token: engine.token, logLevel: 'OFF' });
const flows = sampleWorkflows(hatchet);
await flows.putLimit();
const worker = await hatchet.worker('eu-west-1', { workflows: flows.all, slots: 8, labels: { region: 'eu' }, handleKill: false });
void worker.start();
await worker.waitUntilReady();
const order = await flows.order.runNoWait({ id: 1 }, { additionalMetadata: { customer: '42', source: 'shop' } });
await order.output;
const greet = await flows.greet.runNoWait({ name: 'Ada', tone: 'kind', sender: null, times: 1 });
await greet.output;
for (const o of [1, 22, 333]) await flows.broken.run({ order: o }).catch(() => undefined);
const broken = await flows.broken.runNoWait({ order: 7 }); await broken.output.catch(() => undefined);
const sleeper = await flows.sleeper.runNoWait({ note: 'remember' });
const held = await flows.held.runNoWait([{ customer: 'k' }, { customer: 'k' }, { customer: 'm' }]);
await flows.limited.runNoWait([{}, {}, {}]);
await flows.order.cron('hourly', '0 * * * *', { id: 1 });
await flows.order.schedule(new Date(Date.now() + 3_600_000), { id: 2 });
await hatchet.events.push('order:paid', { amount: 1 });
await hatchet.webhooks.create({ name: 'shop', sourceName: 'GENERIC', eventKeyExpression: 'input.kind', auth: { authType: 'BASIC', username: 'shop', password: 'a long secret' } } as never).catch((e) => console.log(String(e)));
for (let i = 0; i < 30; i++) await flows.order.runNoWait({ id: i });
const id = async (r: { runId: Promise<string> | string }) => await r.runId;
const paths: [string, string][] = [
  ['runs', '/runs'], ['run-graph', `/runs/${await id(order)}?task=pack`], ['run-timeline', `/runs/${await id(order)}/timeline`],
  ['run-events', `/runs/${await id(order)}/events`], ['run-logs', `/runs/${await id(greet)}/logs`], ['run-data', `/runs/${await id(greet)}/data`],
  ['run-durable', `/runs/${await id(sleeper)}/durable`], ['run-why', `/runs/${await id(held[1]!)}/why`], ['run-failed', `/runs/${await id(broken)}`],
  ['workflows', '/workflows'], ['workflow', '/workflows/greet'], ['workers', '/workers'], ['queues', '/queues'], ['schedules', '/schedules'],
  ['events', '/events'], ['webhooks', '/webhooks'], ['dead-letters', '/dead-letters'], ['audit', '/audit'],
];
const browser = await launchChromium();
mkdirSync('/tmp/shots', { recursive: true });
const only = (process.argv[2] ?? '').split(',').filter(Boolean);
for (const [theme, width] of [['light', 1440], ['dark', 1440], ['light', 375], ['dark', 768]] as const) {
  if (process.argv[3] && !process.argv[3].split(',').includes(`${theme}-${width}`)) continue;
  const context = await browser.newContext({ baseURL: engine.serverUrl, locale: 'en-US', colorScheme: theme, viewport: { width, height: width === 375 ? 812 : 900 } });
  const page = await context.newPage();
  page.on('console', (m) => { if (m.type() === 'error') console.log('console', m.text()); });
  page.on('pageerror', (e) => console.log('thrown', String(e)));
  await page.addInitScript(`sessionStorage.setItem('hatchet.token', ${JSON.stringify(engine.token)})`);
  for (const [name, path] of paths) {
    if (only.length > 0 && !only.includes(name)) continue;
    await page.goto(path);
    await page.getByRole('heading', { level: 1 }).waitFor({ timeout: 5000 }).catch((e) => console.log(name, String(e).slice(0, 100)));
    await page.waitForTimeout(name === 'queues' ? 3000 : 800);
    await page.screenshot({ path: `/tmp/shots/${name}-${theme}-${width}.png` });
  }
  await context.close();
}
await browser.close();
await worker.stop(); hatchet.close();
await endProcess(engine.child); rmSync(dir, { recursive: true, force: true });
