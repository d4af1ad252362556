import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { engineFixture } from '../helpers/engine-fixture.ts';

const fixture = engineFixture('openapi');

async function get(path: string): Promise<Response> {
  const { host, port } = fixture.engine.http;
  return fetch(`http://${host}:${port}${path}`);
}

describe('the OpenAPI document', () => {
  it('is served without a token, with the paths that the engine serves', async () => {
    const answer = await get('/api/v1/openapi.json');
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(await answer.json()).toMatchObject({
      openapi: '3.1.1',
      paths: { '/api/v1/openapi.json': { get: { 'x-permission': 'anyone' } } },
    });
  });

  it('is a page as well, that may load nothing and whose style is the one that is allowed', async () => {
    const answer = await get('/api/v1/docs');
    expect(answer.headers.get('content-type')).toContain('text/html');
    const text = await answer.text();
    const style = /<style>([^]*?)<\/style>/.exec(text)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(answer.headers.get('content-security-policy')).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    expect(text).toContain('/api/v1/stable/tenants/{tenant}/workflow-runs');
  });

  it('is not handed to pages of other sites while the engine listens on a loopback address', async () => {
    const { host, port } = fixture.engine.http;
    const answer = await fetch(`http://${host}:${port}/api/v1/docs`, { headers: { origin: 'https://example.com' } });
    expect(answer.status).toBe(403);
  });
});
