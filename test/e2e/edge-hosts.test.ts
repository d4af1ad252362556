import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { engineFixture } from '../helpers/engine-fixture.ts';

const fixture = engineFixture('hosts', { allowedHosts: ['Engine.example'] });

interface Answer {
  status: number | undefined;
  text: string;
}

function send(headers: Record<string, string>, { path = '/api/v1/meta', method = 'GET' } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(
      {
        host: '127.0.0.1',
        port: fixture.engine.http.port,
        path,
        method,
        headers: { authorization: `Bearer ${fixture.engine.token}`, ...headers },
      },
      (response) => {
        let text = '';
        response
          .setEncoding('utf8')
          .on('data', (part: string) => (text += part))
          .on('end', () => resolve({ status: response.statusCode, text }));
      },
    )
      .on('error', reject)
      .end();
  });
}

describe('requests to an engine on a loopback address', () => {
  it.each([
    'localhost',
    'LOCALHOST:80',
    'app.localhost:3000',
    '127.0.0.1:1',
    '127.9.9.9',
    '[::1]:8888',
    'engine.example',
    'ENGINE.EXAMPLE:443',
  ])('for %s are taken', async (host) => {
    expect((await send({ host })).status).not.toBe(403);
  });

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1:8888', '[::2]'])(
    'for %j are refused: the name was made to lead here',
    async (host) => {
      const { status, text } = await send({ host });
      expect([status, text]).toEqual([403, expect.stringContaining('HOST_REFUSED')]);
      expect(text).toContain('--allowed-host');
    },
  );

  it.each(['https://evil.example', 'null', 'file://', 'http://localhost.evil.example'])(
    'from a page of %s are refused',
    async (origin) => {
      expect(await send({ host: 'localhost', origin })).toMatchObject({
        status: 403,
        text: expect.stringContaining('HOST_REFUSED'),
      });
    },
  );

  it.each(['http://localhost:5173', 'http://127.0.0.1', 'https://engine.example'])(
    'from a page of %s are taken',
    async (origin) => {
      expect((await send({ host: 'localhost', origin })).status).not.toBe(403);
    },
  );

  it('reach a webhook through a tunnel, which has a name of its own', async () => {
    const path = '/api/v1/stable/tenants/0190a1b2-0000-7000-8000-000000000000/webhooks/any';
    expect(await send({ host: 'abc.tunnel.example' }, { path, method: 'POST' })).toMatchObject({
      status: 403,
      text: expect.stringContaining('WEBHOOK_REFUSED'),
    });
    expect(await send({ host: 'abc.tunnel.example' }, { path })).toMatchObject({
      status: 403,
      text: expect.stringContaining('HOST_REFUSED'),
    });
  });
});

it('a connection over which no request comes ends', async () => {
  const half = connect(fixture.engine.http.port, '127.0.0.1').resume();
  half.write('GET /api/live HTTP/1.1\r\nhost: local');
  const silent = connect(fixture.engine.http.port, '127.0.0.1').resume();
  await Promise.all([once(half, 'close'), once(silent, 'close')]);
});
