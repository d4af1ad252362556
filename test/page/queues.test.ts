import { beforeAll, describe, expect, it } from 'vitest';
import { pageFixture } from './helpers/page-fixture.ts';
import { sampleWorkflows } from './helpers/sample-workflows.ts';

const fixture = pageFixture('page queues');
let flows: ReturnType<typeof sampleWorkflows>;

beforeAll(async () => {
  flows = sampleWorkflows(fixture.engine.hatchet);
  await flows.putLimit();
  await fixture.engine.serve('page-queues', { workflows: flows.all, slots: 5, labels: { region: 'eu' } });
});

describe('queues', () => {
  it('show what waits for what, as it changes', async () => {
    const page = await fixture.signedIn('/queues');
    await page
      .getByRole('img', { name: /over the last 15 minutes/ })
      .locator('canvas')
      .waitFor();
    const refs = await flows.held.runNoWait([{ customer: 'k1' }, { customer: 'k1' }, { customer: 'k1' }]);
    const row = page.locator('[id="row-held:held"]');
    await expect
      .poll(() => row.locator('td').allTextContents())
      .toEqual(['held:held', '0', '1', '0', '2', '0', '0', '1', expect.any(String)]);
    const keys = page.getByRole('group', { name: 'Concurrency keys' });
    await keys.getByText('k1').waitFor();
    await keys.getByRole('meter', { name: 'Places held on k1' }).getByText('1/1').waitFor();
    await flows.limited.runNoWait([{}, {}, {}]);
    const limits = page.getByRole('group', { name: 'Rate limits' });
    await limits.getByText('2/2').waitFor();
    await limits.getByText(/^in \d+ m/).waitFor();
    for (const ref of refs) await ref.cancel();
    await expect.poll(() => keys.count()).toBe(0);
  });
});

describe('workers', () => {
  it('show their slots and what runs there, and are paused and resumed', async () => {
    const ref = await flows.held.runNoWait({ customer: 'k2' });
    const page = await fixture.signedIn('/workers');
    const card = page.getByRole('listitem').filter({ hasText: 'page-queues' });
    await card
      .getByRole('meter', { name: /default/ })
      .getByText('1/5')
      .waitFor();
    await card.getByText('region: eu').waitFor();
    await card.getByRole('button', { name: 'What runs here' }).click();
    await card.getByRole('link', { name: 'held / held' }).waitFor();
    await card.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await card.getByText('Paused').waitFor();
    await card.getByRole('button', { name: 'Resume' }).click();
    await card.getByText('Active').waitFor();
    await ref.cancel();
  });
});
