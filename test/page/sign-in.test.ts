import { describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { pageFixture } from './helpers/page-fixture.ts';

const fixture = pageFixture('page sign-in');

/** What the browser keeps of the page. */
function stored(page: Page): Promise<string> {
  return page.evaluate('JSON.stringify({ ...sessionStorage, ...localStorage })');
}

const refused = [/status of 401/];

describe('signing in', () => {
  it('is done by a link, whose code is gone from the address', async () => {
    const page = await fixture.signedIn();
    await expect.poll(() => page.url()).not.toContain('code=');
    expect(await stored(page)).toContain(fixture.engine.token);
    expect(await page.context().cookies()).toEqual([]);
    // It is known again as long as the tab is open.
    const known = page.waitForResponse((response) => response.url().endsWith('/api/v1/page/me'));
    await page.reload();
    expect((await known).status()).toBe(200);
  });

  it('by a link works once', async () => {
    const link = await fixture.link();
    const first = await fixture.open(link);
    await expect.poll(() => stored(first)).toContain(fixture.engine.token);
    const second = await fixture.open(link, { expected: refused });
    await second.getByRole('alert').getByText('the link is not good').waitFor();
    expect(await stored(second)).not.toContain(fixture.engine.token);
    await second.getByLabel('Token').waitFor();
  });

  it('is done by a token that is typed', async () => {
    const page = await fixture.open('/');
    const known = page.waitForResponse((response) => response.url().endsWith('/api/v1/page/me'));
    await page.getByLabel('Token').fill(fixture.engine.token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    expect((await known).status()).toBe(200);
    await expect.poll(() => stored(page)).toContain(fixture.engine.token);
  });

  it('by a token that is none says so', async () => {
    const page = await fixture.open('/', { expected: refused });
    await page.getByLabel('Token').fill('x.y.z');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('the token is not valid here').waitFor();
    expect(await stored(page)).not.toContain('x.y.z');
  });
});
