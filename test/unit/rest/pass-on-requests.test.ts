import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Client } from '@grpc/grpc-js';
import { Hono } from 'hono';
import { pino } from 'pino';
import { expect, it, onTestFinished, vi } from 'vitest';
import { masterKey, Sealer } from '../../../engine/auth/secrets/sealer.ts';
import { processHost } from '../../../engine/base/host.ts';
import { ForwardedFor } from '../../../engine/replicas/forwarded-for.ts';
import { PeerRequests } from '../../../engine/replicas/peer-requests.ts';
import { RoutesToPeers } from '../../../engine/replicas/routes-to-peers.ts';
import type { RestEnv } from '../../../engine/rest/deps.ts';
import { passOnRequest } from '../../../engine/rest/pass-on-requests.ts';
import { serveApp } from '../../../engine/rest/rest-server.ts';
import { tenantOf } from '../../helpers/tenant.ts';

interface Passing {
  url: string;
  /** What the engine that has the tenant got. */
  arrived: Promise<{ request: IncomingMessage; response: ServerResponse }>;
}

/** A server that passes all requests on to another one, which answers as the test makes it. */
async function passing(): Promise<Passing> {
  let arrive: (both: { request: IncomingMessage; response: ServerResponse }) => void;
  const arrived = new Promise<{ request: IncomingMessage; response: ServerResponse }>((resolve) => (arrive = resolve));
  const server = createServer((request, response) => arrive({ request, response })).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const peer = { id: 'a', grpc: '127.0.0.1:1', http: `127.0.0.1:${typeof address === 'object' ? address?.port : ''}` };
  const routes = new RoutesToPeers<Client>({
    owners: {
      peerOf: () => peer,
      peers: [peer],
      stateOf: () => undefined,
      served: async () => undefined,
      lookAround: async () => undefined,
    },
    clients: { connected: async () => undefined },
    forwardedFor: new ForwardedFor(new Sealer([masterKey(randomBytes(32))])),
    leaving: new AbortController().signal,
    host: processHost,
    log: pino({ level: 'silent' }),
  });
  const requests = new PeerRequests({ certificateOf: async () => null, own: () => undefined });
  const app = new Hono<RestEnv>();
  app.all(
    '*',
    async (context) => (await passOnRequest({ routes, requests }, context, tenantOf('t'))) ?? context.text(''),
  );
  const served = await serveApp(app, 'http', { host: '127.0.0.1', port: 0, tls: undefined });
  onTestFinished(async () => {
    requests.stop();
    await served.stop();
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${served.address.port}`, arrived };
}

/** An answer that has begun, with its head and a first piece. */
async function begun(url: string, arrived: Passing['arrived']) {
  const answering = fetch(url, { method: 'POST', body: '{}' });
  const { response } = await arrived;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write('one');
  const answer = await answering;
  if (answer.body === null) throw new Error('the answer has no body');
  return { response, reader: answer.body.getReader(), headers: answer.headers };
}

it('an answer that is passed on comes piece by piece, and ends for the other engine when its client goes', async () => {
  const { url, arrived } = await passing();
  const { response, reader, headers } = await begun(url, arrived);
  expect(headers.get('content-type')).toBe('text/event-stream');
  for (const piece of ['one', 'two', 'three']) {
    if (piece !== 'one') response.write(piece);
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe(piece);
  }
  const closed = once(response, 'close');
  await reader.cancel();
  await closed;
  expect(response.writableFinished).toBe(false);
});

it('an answer whose engine is lost in its middle is cut for its client, and nobody else hears of it', async () => {
  const said = vi.spyOn(console, 'error');
  onTestFinished(() => said.mockRestore());
  const { url, arrived } = await passing();
  const { response, reader } = await begun(url, arrived);
  await reader.read();
  response.destroy();
  await expect(reader.read()).rejects.toThrow('terminated');
  expect(said).not.toHaveBeenCalled();
});
