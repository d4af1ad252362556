import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { PeerRequests } from '../../../engine/replicas/peer-requests.ts';
import { notTaken } from '../../../engine/replicas/routes-to-peers.ts';

it('takes a body to its end though the peer answers first and reads no more, and leaves that connection', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.pause();
      socket.write('HTTP/1.1 404 Not Found\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nno');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const requests = new PeerRequests({ certificateOf: async () => null, own: () => undefined });
  onTestFinished(() => {
    requests.stop();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const peer = { id: 'a', grpc: '127.0.0.1:1', http: `127.0.0.1:${port}` };
  for (let n = 1; n <= 3; n++) {
    const body = Readable.from(Array.from({ length: 1_000 }, () => Buffer.alloc(10_000)));
    const ended = once(body, 'end');
    const headers = { 'content-length': '10000000' };
    const answer = await requests.send(peer, { method: 'POST', path: '/', headers, body });
    if (answer === notTaken) throw new Error('the peer was there');
    expect([answer.statusCode, await text(answer)]).toEqual([404, 'no']);
    await ended;
    expect(sockets.length).toBe(n);
  }
  for (const socket of sockets) {
    socket.resume();
    await once(socket, 'close');
  }
});
