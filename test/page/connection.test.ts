import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { pageFixture } from './helpers/page-fixture.ts';
import { sampleWorkflows } from './helpers/sample-workflows.ts';

const fixture = pageFixture('page connection');
let flows: ReturnType<typeof sampleWorkflows>;

beforeAll(async () => {
  flows = sampleWorkflows(fixture.engine.hatchet);
  await fixture.engine.serve('page-connection', { workflows: flows.all, slots: 20 });
  await flows.order.run({ id: 1 });
});

describe('a page whose engine goes away', () => {
  it('says so, and goes on where it was once the engine is back', async () => {
    const page = await fixture.signedIn('/runs', { expected: [/ERR_CONNECTION_REFUSED/, /ERR_|status of 503/] });
    await page.locator('.connection.live').waitFor();
    await page.getByRole('table', { name: 'Runs' }).getByText('order').first().waitFor();
    await fixture.engine.engine.stop();
    await page.locator('.connection.lost').waitFor();
    expect(await page.locator('.shell').getAttribute('data-stale')).toBe('true');
    await page.getByRole('table', { name: 'Runs' }).getByText('order').first().waitFor();
    await fixture.engine.startAgain();
    const ref = await flows.order.runNoWait({ id: 2 });
    await page
      .getByRole('button', { name: /Try now/ })
      .click({ timeout: 5_000 })
      .catch(() => undefined);
    await page.locator('.connection.live').waitFor();
    await page
      .locator(`[id="row-${await ref.runId}"]`)
      .getByText('Completed')
      .waitFor();
    expect(await page.locator(`[id="row-${await ref.runId}"]`).count()).toBe(1);
  });
});

describe('a token that is revoked', () => {
  it('leads back to where one signs in, which says why', async () => {
    const page = await fixture.signedIn('/runs');
    await page.locator('.connection.live').waitFor();
    await fixture.engine.database.pool.query('UPDATE token SET revoked_at = now() WHERE id = $1', [
      decodeJwt(fixture.engine.token)['token_id'],
    ]);
    await page.getByRole('alert').getByText('The engine no longer takes your token').waitFor();
    await page.getByLabel('Token').waitFor();
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
  });
});
