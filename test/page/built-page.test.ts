import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { builtPage } from '../../engine/rest/page/page-files.ts';
import { pageFixture } from './helpers/page-fixture.ts';

const fixture = pageFixture('built page');
const mostBytes = 200 * 1000;

describe('the page as it is built', () => {
  it('is small', () => {
    const assets = join(builtPage(), 'assets');
    const names = readdirSync(assets).filter((name) => /\.(?:js|css)$/.test(name));
    expect(names.some((name) => name.endsWith('.js'))).toBe(true);
    const bytes = names.reduce((sum, name) => sum + gzipSync(readFileSync(join(assets, name))).length, 0);
    expect(bytes).toBeLessThanOrEqual(mostBytes);
  });

  it('has the same beside, gzipped, where that is shorter', () => {
    const assets = join(builtPage(), 'assets');
    const names = readdirSync(assets);
    const gzipped = names.filter((name) => name.endsWith('.gz'));
    expect(gzipped.length).toBeGreaterThan(0);
    for (const name of gzipped)
      expect(
        gunzipSync(readFileSync(join(assets, name))).equals(readFileSync(join(assets, name.slice(0, -3)))),
        name,
      ).toBe(true);
  });

  it('comes with what keeps a browser from doing anything else, and loads all that it names', async () => {
    const page = await fixture.open('about:blank');
    const answers: [path: string, status: number, cache: string | undefined][] = [];
    page.on('response', (response) => {
      const { pathname } = new URL(response.url());
      answers.push([pathname, response.status(), response.headers()['cache-control']]);
    });
    const answer = await page.goto(`${fixture.origin}/runs/none`, { waitUntil: 'networkidle' });
    const headers = answer?.headers() ?? {};
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-cache',
    });
    const assets = answers.filter(([path]) => path.startsWith('/assets/'));
    expect(assets.length).toBeGreaterThan(0);
    for (const asset of assets) expect(asset).toEqual([expect.any(String), 200, 'public, max-age=31536000, immutable']);
  });

  it('cannot run what is written into it, nor ask others', async () => {
    const page = await fixture.open('/', {
      expected: [
        /violated: script-src-elem inline/,
        /violated: script-src-attr inline/,
        /violated: connect-src http/,
        /Content Security Policy/,
        /status of 404/,
      ],
    });
    const ran = await page.evaluate(`(async () => {
      let left = 3;
      const told = new Promise((resolve) => document.addEventListener('securitypolicyviolation', () => --left === 0 && resolve()));
      const script = document.createElement('script');
      script.textContent = 'window.ranInline = true';
      document.body.append(script);
      const image = document.createElement('img');
      image.setAttribute('onerror', 'window.ranHandler = true');
      const missing = new Promise((resolve) => image.addEventListener('error', resolve));
      image.src = '/nothing.png';
      document.body.append(image);
      const asked = await fetch('http://127.0.0.1:9/').then(() => 'answered', () => 'refused');
      await Promise.all([told, missing]);
      return { inline: window.ranInline === true, handler: window.ranHandler === true, asked };
    })()`);
    expect(ran).toEqual({ inline: false, handler: false, asked: 'refused' });
  });
});
