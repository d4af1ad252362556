import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { createServer, connect as connectTcp } from 'node:net';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { credentials, Metadata } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { PushEventRequest, EventsServiceClient } from '../../proto/gen/hatchet/contract/events.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

const plain = engineFixture('plain-messages');
const compressing = engineFixture('compressed-messages', { compressedCalls: true });

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const payload = JSON.stringify({ text: 'a'.repeat(2_000) });

/** A push whose message is compressed, without a library that listens to what the engine says. @returns the head of its answer, and its status */
async function pushCompressed({
  engine,
  token,
}: typeof plain): Promise<{ head: IncomingHttpHeaders; status: unknown }> {
  const session: ClientHttp2Session = connect(`http://${engine.grpc.host}:${engine.grpc.port}`);
  ends.push(() => session.close());
  const stream = session.request({
    ':method': 'POST',
    ':path': '/EventsService/Push',
    'content-type': 'application/grpc+proto',
    'grpc-encoding': 'gzip',
    te: 'trailers',
    authorization: `Bearer ${token}`,
  });
  const bytes = gzipSync(PushEventRequest.encode(PushEventRequest.fromPartial({ key: 'k', payload })).finish());
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(1, 0);
  prefix.writeUInt32BE(bytes.length, 1);
  const answered = once(stream, 'response');
  const ended = once(stream, 'trailers');
  stream.end(Buffer.concat([prefix, bytes]));
  stream.resume();
  const [[head], [trailers]] = await Promise.all([answered, ended]);
  return { head, status: trailers['grpc-status'] };
}

/** Bytes that a client with compression sends for each of two pushes. */
async function bytesSent({ engine, token }: typeof plain): Promise<number[]> {
  let sent = 0;
  const proxy = createServer((socket) => {
    const upstream = connectTcp(engine.grpc.port, engine.grpc.host);
    socket.on('data', (bytes) => void (sent += bytes.length));
    // Either end may go first.
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
    socket.pipe(upstream).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const client = new EventsServiceClient(`127.0.0.1:${address.port}`, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': 2,
  });
  ends.push(
    () => proxy.close(),
    () => client.close(),
  );
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const push = (): Promise<void> =>
    new Promise((resolve, reject) => {
      client.push(PushEventRequest.fromPartial({ key: 'k', payload }), metadata, (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  const each: number[] = [];
  for (let n = 0; n < 2; n++) {
    const before = sent;
    await push();
    each.push(sent - before);
  }
  return each;
}

describe('messages that come compressed', () => {
  it('are read, and their sender is asked for plain ones', async () => {
    const { head, status } = await pushCompressed(plain);
    expect(head).toMatchObject({ ':status': 200, 'grpc-accept-encoding': 'identity' });
    expect(status).toBe('0');
  });

  it('come plain from the second on, from a library that listens', async () => {
    const [first = 0, second = 0] = await bytesSent(plain);
    expect(first).toBeLessThan(1_500);
    expect(second).toBeGreaterThan(2_000);
  });

  it('go on where the engine was told to let them', async () => {
    const { head, status } = await pushCompressed(compressing);
    expect(head['grpc-accept-encoding']).toContain('gzip');
    expect(status).toBe('0');
    const [, second = 0] = await bytesSent(compressing);
    expect(second).toBeLessThan(1_500);
  });
});
