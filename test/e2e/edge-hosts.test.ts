import { once } from 'node:events';
import { Agent, request, type IncomingMessage, type OutgoingHttpHeaders, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
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

describe('a request whose body nobody reads', () => {
  async function twice(headers: OutgoingHttpHeaders): Promise<{ answer?: string | undefined; reused: boolean }> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (options: RequestOptions, body = ''): Promise<[IncomingMessage, boolean]> => {
      const sent = request({ agent, host: '127.0.0.1', port: fixture.engine.http.port, ...options });
      const answered = once(sent, 'response');
      sent.end(body);
      const [response] = await answered;
      await text(response);
      return [response, sent.reusedSocket];
    };
    try {
      const authorization = `Bearer ${fixture.engine.token}`;
      const [first] = await ask(
        { method: 'PATCH', path: '/api/v1/workflows/nowhere', headers: { authorization, ...headers } },
        'x'.repeat(1_000_000),
      );
      expect(first.statusCode).toBe(404);
      const [second, reused] = await ask({ path: '/api/live' });
      expect(second.statusCode).toBe(200);
      return { answer: first.headers.connection, reused };
    } finally {
      agent.destroy();
    }
  }

  it.each([{ 'content-length': '1000000' }, { 'transfer-encoding': 'chunked' }])(
    'leaves its connection to the next one: %o',
    async (headers) => expect(await twice(headers)).toEqual({ answer: 'keep-alive', reused: true }),
  );
});

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
