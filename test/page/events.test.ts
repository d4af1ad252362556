import { beforeAll, describe, expect, it } from 'vitest';
import { pageFixture } from './helpers/page-fixture.ts';
import { sampleWorkflows } from './helpers/sample-workflows.ts';

const fixture = pageFixture('page events');
let flows: ReturnType<typeof sampleWorkflows>;

beforeAll(async () => {
  const { hatchet } = fixture.engine;
  flows = sampleWorkflows(hatchet);
  await fixture.engine.serve('page-events', { workflows: flows.all, slots: 20 });
  await hatchet.webhooks.create({
    name: 'shop',
    sourceName: 'GENERIC',
    eventKeyExpression: 'input.kind',
    auth: { username: 'shop', password: 'a long secret' },
  });
});

describe('schedules', () => {
  it('run crons now, switch them off and on, and delete those of the API', async () => {
    const cron = await flows.order.cron('hourly', '0 * * * *', { id: 1 });
    const page = await fixture.signedIn('/schedules');
    const row = page.locator(`[id="row-${cron.metadata.id}"]`);
    await row.getByText(/^in \d+/).waitFor();
    await row.getByRole('button', { name: 'Disable hourly' }).click();
    await row.getByText('Off').waitFor();
    await row.getByRole('button', { name: 'Enable hourly' }).click();
    await row.getByText(/^in \d+/).waitFor();
    await row.getByRole('button', { name: 'Run now: hourly' }).click();
    await page.getByRole('heading', { level: 1 }).getByText('Completed').waitFor();
    await page.goBack();
    await row.getByRole('button', { name: 'Delete hourly' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await expect.poll(() => row.count()).toBe(0);
  });

  it('run scheduled runs now, and delete them', async () => {
    const at = new Date(Date.now() + 3_600_000);
    await flows.order.schedule(at, { id: 2 });
    const page = await fixture.signedIn('/schedules');
    const list = page.getByRole('group', { name: 'Scheduled runs' });
    await list.getByRole('button', { name: 'Run now: the scheduled order' }).click();
    await page.getByRole('heading', { level: 1 }).getByText('Completed').waitFor();
    await flows.order.schedule(at, { id: 3 });
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await list.getByRole('button', { name: 'Delete the scheduled order' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Nothing is scheduled').waitFor();
  });
});

describe('events', () => {
  it('are pushed, show the runs that they started, and are pushed again', async () => {
    const page = await fixture.signedIn('/events');
    await page.getByRole('button', { name: 'Push an event' }).click();
    const form = page.getByRole('form', { name: 'Push an event' });
    await form.getByRole('button', { name: 'Push' }).click();
    await form.getByText('Give the event a key').waitFor();
    await form.getByLabel('Key').fill('order:paid');
    await form.getByLabel('Payload').fill('{"amount": 12}');
    await form.getByRole('button', { name: 'Push' }).click();
    const events = page.getByRole('list', { name: 'Events' });
    await events.getByText('1 completed').waitFor();
    await events.getByRole('button', { name: /order:paid/ }).click();
    await events.getByRole('group', { name: 'the payload' }).getByText('12').waitFor();
    await events.getByRole('button', { name: 'Push again' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Push again' }).click();
    await expect.poll(() => events.getByRole('button', { name: /order:paid/ }).count()).toBe(2);
    await events.getByRole('link', { name: 'all in the list' }).click();
    await page.getByRole('table', { name: 'Runs' }).getByText('daily').waitFor();
  });
});

describe('webhooks', () => {
  it('are listed with their address, and deleted', async () => {
    const page = await fixture.signedIn('/webhooks');
    const item = page.getByRole('listitem').filter({ hasText: 'shop' });
    await item.getByText(`/webhooks/shop`).waitFor();
    await item.getByText('input.kind').waitFor();
    await item.getByRole('button', { name: 'Delete the webhook shop' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No webhooks yet').waitFor();
  });
});
