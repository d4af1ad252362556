import axe from 'axe-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { pageFixture } from './helpers/page-fixture.ts';
import { sampleWorkflows } from './helpers/sample-workflows.ts';
import { sendSpans } from './helpers/send-spans.ts';

const fixture = pageFixture('page accessibility');
let paths: readonly string[] = [];
let endHeld: () => Promise<unknown> = async () => undefined;

// A worker that stops waits for what it runs.
afterAll(() => endHeld());

beforeAll(async () => {
  const { hatchet } = fixture.engine;
  const flows = sampleWorkflows(hatchet);
  await flows.putLimit();
  await fixture.engine.serve('page-accessibility', { workflows: flows.all, slots: 20, labels: { region: 'eu' } });
  const order = await flows.order.runNoWait({ id: 1 });
  await order.output;
  const greet = await flows.greet.runNoWait({ name: 'Ada', tone: 'kind', sender: null, times: 1 });
  await greet.output;
  await flows.broken.run({ order: 1 }).catch(() => undefined);
  const sleeper = await flows.sleeper.runNoWait({ note: 'x' });
  const held = await flows.held.runNoWait([{ customer: 'k' }, { customer: 'k' }]);
  endHeld = () => Promise.all(held.map((ref) => ref.cancel()));
  await flows.order.cron('hourly', '0 * * * *', { id: 1 });
  await flows.order.schedule(new Date(Date.now() + 3_600_000), { id: 2 });
  await hatchet.events.push('order:paid', { amount: 1 });
  const [orderId, greetId, sleeperId, waitingId] = await Promise.all(
    [order, greet, sleeper, held[1] ?? sleeper].map(async (ref) => await ref.runId),
  );
  await sendSpans(fixture.engine, greetId ?? '');
  paths = [
    '/runs',
    `/runs/${orderId}`,
    `/runs/${orderId}?task=pack`,
    `/runs/${orderId}/timeline`,
    `/runs/${orderId}/events`,
    `/runs/${greetId}/logs`,
    `/runs/${greetId}/data`,
    `/runs/${greetId}/trace`,
    `/runs/${sleeperId}/durable`,
    `/runs/${waitingId}/why`,
    '/workflows',
    '/workflows/greet',
    '/workers',
    '/queues',
    '/schedules',
    '/events',
    '/webhooks',
    '/dead-letters',
    '/audit',
  ];
});

/** Ids of what axe finds, with the elements. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found: unknown = await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] })
      .then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html.slice(0, 160) + ' ' + failureSummary).join(' | ')))`,
  );
  return Array.isArray(found) ? found.map(String) : [String(found)];
}

// Contrast is a matter of the theme, and what is laid out or hidden one of the width: each of the four is seen once.
describe.each([
  { colorScheme: 'light', width: 375 },
  { colorScheme: 'dark', width: 1440 },
] as const)('in the $colorScheme theme', ({ colorScheme, width }) => {
  it(`no view has anything against it at ${width} px, nor is wider than the window`, async () => {
    const page = await fixture.signedIn('/runs');
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 900 });
    const found: Record<string, string[]> = {};
    for (const path of paths) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await expect.poll(() => page.locator('[aria-busy="true"]').count()).toBe(0);
      const wide = await page.evaluate('document.documentElement.scrollWidth > innerWidth + 1');
      const all = [...(await violations(page)), ...(wide === true ? ['wider than the window'] : [])];
      if (all.length > 0) found[path] = all;
    }
    expect(found).toEqual({});
  });

  it('dialogs and signing in have nothing against them', async () => {
    const page = await fixture.open('/');
    await page.emulateMedia({ colorScheme });
    await page.getByLabel('Token').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByLabel('Token').fill(fixture.engine.token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor();
    for (const key of ['?', 't']) {
      await page.keyboard.press(key);
      await page.getByRole('dialog').waitFor();
      expect(await violations(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    }
  });
});
