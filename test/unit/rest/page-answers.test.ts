import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RestEnv } from '../../../engine/rest/deps.ts';
import { servePage } from '../../../engine/rest/page/page-answers.ts';
import { readPage } from '../../../engine/rest/page/page-files.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const folder = makeTempFolder('page');
const script = 'main-ABC123.js';
const code = 'console.log(1);\n'.repeat(50);
let app: Hono<RestEnv>;

function serve(page: string): Hono<RestEnv> {
  const served = new Hono<RestEnv>();
  servePage(served, readPage(page));
  served.get('/api/v1/version', (context) => context.json({ version: '1' }));
  return served;
}

beforeAll(() => {
  const assets = join(folder, 'assets');
  mkdirSync(assets, { recursive: true });
  writeFileSync(join(folder, 'index.html'), '<!doctype html>');
  writeFileSync(join(folder, 'secret.txt'), 'nobody reads this');
  writeFileSync(join(assets, script), code);
  writeFileSync(join(assets, `${script}.gz`), gzipSync(code));
  writeFileSync(join(assets, 'main-ABC123.css'), 'p{}');
  writeFileSync(join(assets, 'notes.txt'), 'of no type that the page has');
  app = serve(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  app.request(path, { headers });
const asBrowser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'accept-encoding': 'gzip, deflate, br' };

describe('the page', () => {
  it.each(['/', '/runs/0198c0de-0000-7000-8000-000000000000', '/sign-in', '/apiary'])(
    'is what a browser gets at %s',
    async (path) => {
      const answer = await get(path, asBrowser);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toBe('<!doctype html>');
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(answer.headers.get('cache-control')).toBe('no-cache');
    },
  );

  it('may load, send and run nothing but its own, be framed by nobody, and tells others nothing', async () => {
    const { headers } = await get('/', asBrowser);
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
  });

  it('is at / for everybody, and elsewhere for those who ask for a document', async () => {
    expect((await get('/')).status).toBe(200);
    expect((await get('/runs/1')).status).toBe(404);
    expect((await get('/favicon.ico', { accept: 'image/*' })).status).toBe(404);
  });

  it('leaves the API alone', async () => {
    expect(await (await get('/api/v1/version', asBrowser)).json()).toEqual({ version: '1' });
    expect((await get('/api/v1/nothing', asBrowser)).status).toBe(404);
    expect((await get('/api', asBrowser)).status).toBe(404);
    expect((await app.request('/', { method: 'POST', headers: asBrowser })).status).toBe(404);
  });

  it('has files whose names change with them, which browsers keep for good', async () => {
    const answer = await get(`/assets/${script}`);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await answer.text()).toBe(code);
    expect((await get('/assets/main-ABC123.css')).headers.get('content-type')).toBe('text/css; charset=utf-8');
  });

  it.each<[accepted: string, encoding: string | null]>([
    ['gzip', 'gzip'],
    ['br, gzip;q=0.5', 'gzip'],
    ['gzip;q=0', null],
    ['gzip;q=0.000, br', null],
    ['br', null],
    ['xgzip', null],
    ['', null],
  ])('is sent as the client takes it: %s', async (accepted, encoding) => {
    const answer = await get(`/assets/${script}`, { 'accept-encoding': accepted });
    expect(answer.headers.get('content-encoding')).toBe(encoding);
    expect(answer.headers.get('vary')).toBe('accept-encoding');
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect((encoding === null ? bytes : gunzipSync(bytes)).toString()).toBe(code);
  });

  it('gives out no other file, whatever path leads to one', async () => {
    for (const path of [
      '/assets/',
      '/assets/index.html',
      '/assets/notes.txt',
      `/assets/${script}.gz`,
      '/assets/..%2Findex.html',
      '/assets/..%2fsecret.txt',
      '/assets/%2e%2e/secret.txt',
      '/assets/../secret.txt',
      '/secret.txt',
      '/assets/..%5csecret.txt',
    ])
      expect((await get(path)).status, path).toBe(404);
    expect(await (await get('/secret.txt', asBrowser)).text()).toBe('<!doctype html>');
  });

  it('says what to do where it is not built', async () => {
    const answer = await serve(join(folder, 'nothing')).request('/');
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain('npm run build');
    expect((await serve(join(folder, 'nothing')).request(`/assets/${script}`)).status).toBe(404);
  });
});
