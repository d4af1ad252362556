import { beforeAll, describe, expect, it } from 'vitest';
import { pageFixture } from './helpers/page-fixture.ts';
import { sampleWorkflows } from './helpers/sample-workflows.ts';

const fixture = pageFixture('page runs');
let flows: ReturnType<typeof sampleWorkflows>;

beforeAll(async () => {
  flows = sampleWorkflows(fixture.engine.hatchet);
  await fixture.engine.serve('page-runs', { workflows: flows.all, slots: 50 });
  await flows.greet.run(
    { name: 'Ada', tone: 'kind', sender: null, times: 1 },
    { additionalMetadata: { customer: '42' } },
  );
  await flows.broken.run({ order: 1 }).catch(() => undefined);
});

describe('the list of runs', () => {
  it('shows what has run, and what happens while it is open', async () => {
    const page = await fixture.signedIn('/runs');
    const rows = page.getByRole('table', { name: 'Runs' });
    await rows.getByText('greet').waitFor();
    await rows.getByText('order 1 cannot be paid').waitFor();
    const ref = await flows.held.runNoWait({ customer: 'a' });
    const row = page.locator(`[id="row-${await ref.runId}"]`);
    await row.getByText('Running').waitFor();
    await ref.cancel();
    await row.getByText('Cancelled').waitFor();
    await page.locator('.connection.live').waitFor();
  });

  it('is filtered by words, by buttons and by the address', async () => {
    const page = await fixture.signedIn('/runs?q=status%3Afailed');
    const rows = page.getByRole('table', { name: 'Runs' });
    await rows.getByText('broken').first().waitFor();
    expect(await rows.getByText('greet').count()).toBe(0);
    await page.getByRole('group', { name: 'Statuses' }).getByRole('button', { name: 'Failed' }).click();
    await rows.getByText('greet').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('customer:42');
    await expect.poll(() => page.url()).toContain('q=customer%3A42');
    await expect.poll(() => rows.getByText('broken').count()).toBe(0);
    await rows.getByText('greet').waitFor();
    await page.getByLabel('Filter runs').fill('status:wrong');
    await page.getByText('status:wrong means nothing').waitFor();
  });

  it('replays and cancels what is marked, after a question', async () => {
    const refs = await flows.held.runNoWait([{ customer: 'b' }, { customer: 'c' }]);
    const ids = await Promise.all(refs.map(async (ref) => await ref.runId));
    const page = await fixture.signedIn('/runs?q=workflow%3Aheld');
    for (const id of ids) await page.getByLabel(`Mark run ${id}`).check();
    await page.getByText('2 marked').waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Keep as it is' }).click();
    await page.keyboard.press('x');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel 2 runs' }).click();
    for (const id of ids) await page.locator(`[id="row-${id}"]`).getByText('Cancelled').waitFor();
    for (const id of ids) await page.getByLabel(`Mark run ${id}`).check();
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Replay 2 runs' }).click();
    for (const id of ids) await page.locator(`[id="row-${id}"]`).getByText('Running').waitFor();
    for (const ref of refs) await ref.cancel();
  });

  it('reads older runs as somebody scrolls to them', async () => {
    const many = Array.from({ length: 450 }, (_, id) => ({ id }));
    await flows.order.runNoWait(many);
    const page = await fixture.signedIn('/runs?q=workflow%3Aorder');
    const table = page.getByRole('table', { name: 'Runs' });
    await table.waitFor();
    await expect
      .poll(async () => {
        await page.evaluate(
          `document.querySelector('.runs-scroll').scrollTop = document.querySelector('.runs-scroll').scrollHeight`,
        );
        return Number(await table.getAttribute('aria-rowcount'));
      })
      .toBe(many.length + 1);
    expect(await table.getByRole('row').count()).toBeLessThan(60);
  });

  it('is gone through by keys, which do nothing while somebody types', async () => {
    const page = await fixture.signedIn('/runs?q=workflow%3Agreet');
    await page.getByRole('table', { name: 'Runs' }).getByText('greet').waitFor();
    await page.keyboard.press('j');
    await page.locator('.run-row.current').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('gq?');
    expect(await page.getByRole('dialog').count()).toBe(0);
    expect(page.url()).toContain('/runs');
    await page.getByLabel('Filter runs').fill('workflow:greet');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await expect.poll(() => new URL(page.url()).pathname).toMatch(/^\/runs\/[\da-f-]{36}$/);
    for (const [key, path] of [
      ['f', 'workflows'],
      ['w', 'workers'],
      ['q', 'queues'],
      ['s', 'schedules'],
      ['e', 'events'],
      ['d', 'dead-letters'],
      ['r', 'runs'],
    ]) {
      await page.keyboard.press('g');
      await page.keyboard.press(key ?? '');
      await expect.poll(() => new URL(page.url()).pathname).toBe(`/${path}`);
    }
  });
});
