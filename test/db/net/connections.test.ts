import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, status } from '@grpc/grpc-js';
import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { DispatcherService } from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import { KeyRing } from '../../../engine/auth/key-ring.ts';
import { ensureTenant } from '../../../engine/auth/tenants.ts';
import { Tokens } from '../../../engine/auth/tokens.ts';
import { AuditLog } from '../../../engine/auth/audit-log.ts';
import { TenantLimits } from '../../../engine/auth/tenant-limits.ts';
import { Gate } from '../../../engine/edge/access/gate.ts';
import { OpenCalls } from '../../../engine/edge/access/open-calls.ts';
import { strangerInterceptor } from '../../../engine/grpc/stranger-interceptor.ts';
import { serve } from '../../../engine/grpc/handlers.ts';
import { TenantTurns } from '../../../engine/base/tenant-turns.ts';
import { startGrpc, type GrpcServer } from '../../../engine/grpc/grpc-server.ts';
import { createLog } from '../../../engine/base/log.ts';
import { ConnectionGuard, type ConnectionLimits } from '../../../engine/net/connection-guard.ts';
import { GrpcClients } from '../../helpers/grpc-client.ts';
import { databaseFixture } from '../../helpers/database-fixture.ts';
import type { TenantId } from '../../../engine/model/ids/tenant-id.ts';

const strangerMs = 300;

/** Waits for the end of a session, also where an error comes before it: "once" would reject on that. */
const closed = async (session: ClientHttp2Session): Promise<void> =>
  new Promise((resolve) => void session.once('close', () => resolve()));

const folder = mkdtempSync(join(tmpdir(), 'hatchet-connections-'));
const database = databaseFixture({ from: 'migrated' });
let pool: Pool;
let tokens: Tokens;
let token: string;
let tenantId: TenantId;
let server: GrpcServer;
const sockets: Socket[] = [];
/** Of heartbeats. */
const read: string[] = [];
/** Whose long messages waited for their turn. */
const turned: string[] = [];
const turns = new (class extends TenantTurns<TenantId> {
  override take(tenantId: TenantId, work: () => void): void {
    turned.push(tenantId);
    super.take(tenantId, work);
  }
})();
const clients: GrpcClients[] = [];

beforeAll(async () => {
  ({ pool } = database);
  tokens = new Tokens(pool, await KeyRing.open(pool, { dataDir: folder }));
  const tenant = await ensureTenant(pool, 'default');
  tenantId = tenant.id;
  token = await tokens.create({
    tenantId,
    name: 'any',
    addresses: { serverUrl: 'http://127.0.0.1:1', grpcBroadcastAddress: '127.0.0.1:1' },
  });
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
});

async function start(limits: Partial<ConnectionLimits> = {}): Promise<void> {
  const connections = new ConnectionGuard({
    connections: 100,
    strangers: 100,
    strangerMs,
    strangerBytes: 1024 * 1024,
    ...limits,
  });
  const log = createLog('silent');
  const gate = new Gate({
    tokens,
    audit: new AuditLog({ reads: pool, writes: pool }),
    open: new OpenCalls(tokens, log),
    limits: new TenantLimits(pool, log),
    log,
  });
  const service = serve(
    { gate, log, connections, turns, takesCompressed: false },
    { heartbeat: DispatcherService.heartbeat, getVersion: DispatcherService.getVersion },
    {
      heartbeat: ({ workerId }) => (read.push(workerId), Promise.resolve({})),
      getVersion: () => Promise.resolve({ version: '' }),
    },
  );
  server = await startGrpc({
    host: '127.0.0.1',
    port: 0,
    connections,
    tls: undefined,
    services: [service],
    interceptors: [strangerInterceptor({ gate, connections, log })],
  });
}

beforeEach(async () => {
  read.length = 0;
  turned.length = 0;
  await start();
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const client of clients.splice(0)) client.close();
  await server.stop(100);
});

function open(): Socket {
  const socket = connect(server.address.port, '127.0.0.1')
    .on('error', () => undefined)
    .resume();
  sockets.push(socket);
  return socket;
}

function beat(client: GrpcClients): Promise<unknown> {
  return client.call(client.dispatcher, client.dispatcher.heartbeat, { workerId: 'w', heartbeatAt: undefined });
}

function clientWith(text: string): GrpcClients {
  const client = new GrpcClients(server.address, text);
  clients.push(client);
  return client;
}

test('a connection that says nothing, or nothing good, ends; one that has shown a good token stays', async () => {
  const silent = open();
  const half = open();
  half.write('PRI * HTTP/2.0\r\n');
  const stranger = connectHttp2(`http://127.0.0.1:${server.address.port}`).on('error', () => undefined);
  const pings = setInterval(() => void (stranger.destroyed || stranger.ping(() => undefined)), 50);
  const good = clientWith(token);
  await beat(good);
  const bad = stranger
    .request({
      ':method': 'POST',
      ':path': DispatcherService.heartbeat.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: 'bearer no.good.token',
    })
    .on('error', () => undefined);
  bad.end(Buffer.alloc(5));
  bad.resume();
  const [answer]: unknown[] = await once(bad, 'response');
  expect(Number(Object(answer)['grpc-status'])).toBe(status.UNAUTHENTICATED);
  await Promise.all([once(silent, 'close'), once(half, 'close'), closed(stranger)]);
  clearInterval(pings);
  // It is the connection of before: a new one would have passed through other states.
  expect(good.dispatcher.getChannel().getConnectivityState(false)).toBe(2);
});

test('over the number of strangers the one that waits longest ends, and a good client gets in', async () => {
  await server.stop(100);
  await start({ strangers: 2 });
  const first = open();
  await once(first, 'connect');
  const ended = once(first, 'close');
  open();
  open();
  await beat(clientWith(token));
  await ended;
});

test('over the number of connections a new one ends at once', async () => {
  await server.stop(100);
  await start({ connections: 1 });
  const good = clientWith(token);
  await beat(good);
  await once(open(), 'close');
  await beat(good);
});

test('of a call without a good token nothing but its headers is read', async () => {
  await server.stop(100);
  await start({ strangerMs: 60_000 });
  const sent = 8 * 1024 * 1024;
  // A good client's large message is read whole, on a new connection too: it is refused for what it says alone.
  const good = clientWith(token);
  await expect(
    good.call(good.dispatcher, good.dispatcher.heartbeat, { workerId: 'w'.repeat(sent), heartbeatAt: undefined }),
  ).resolves.toEqual({});
  const stranger = connectHttp2(`http://127.0.0.1:${server.address.port}`).on('error', () => undefined);
  const call = stranger
    .request({
      ':method': 'POST',
      ':path': DispatcherService.heartbeat.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: 'bearer no.good.token',
    })
    .on('error', () => undefined);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(sent, 1);
  call.write(head);
  call.write(Buffer.alloc(sent));
  const [answer]: unknown[] = await once(call, 'response');
  expect(Number(Object(answer)['grpc-status'])).toBe(status.UNAUTHENTICATED);
  // What flow control lets through before anybody has read is all that came.
  expect(stranger.socket.bytesWritten).toBeLessThan(1024 * 1024);
  stranger.destroy();
});

test('a stranger that sends much to a method that is for all ends', async () => {
  await server.stop(100);
  await start({ strangerMs: 60_000 });
  const stranger = connectHttp2(`http://127.0.0.1:${server.address.port}`).on('error', () => undefined);
  const call = stranger
    .request({
      ':method': 'POST',
      ':path': DispatcherService.getVersion.path,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    .on('error', () => undefined);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(32 * 1024 * 1024, 1);
  call.write(head);
  call.write(Buffer.alloc(16 * 1024 * 1024));
  await closed(stranger);
});

test('headers over 64 KiB are refused', async () => {
  const client = clientWith(token);
  await beat(client);
  await expect(
    client.call(
      client.dispatcher,
      client.dispatcher.heartbeat,
      { workerId: 'w', heartbeatAt: undefined },
      { 'x-large': 'x'.repeat(100_000) },
    ),
  ).rejects.toBeDefined();
  await beat(client);
});

test('a long message is read in a turn of its own, once it is known whose it is; a short one at once', async () => {
  const client = clientWith(token);
  const long = 'w'.repeat(200_000);
  await client.call(client.dispatcher, client.dispatcher.heartbeat, { workerId: 'short', heartbeatAt: undefined });
  expect(turned).toEqual([]);
  await client.call(client.dispatcher, client.dispatcher.heartbeat, { workerId: long, heartbeatAt: undefined });
  expect(turned).toEqual([tenantId]);
  expect(read.splice(0)).toEqual(['short', long]);
  await expect(
    clientWith('wrong').call(client.dispatcher, client.dispatcher.heartbeat, {
      workerId: long,
      heartbeatAt: undefined,
    }),
  ).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  const malformed = new Client(`127.0.0.1:${server.address.port}`, credentials.createInsecure());
  const answer = new Promise((_, reject) =>
    malformed.makeUnaryRequest(
      DispatcherService.heartbeat.path,
      (bytes: Buffer) => bytes,
      (bytes) => bytes,
      Buffer.alloc(200_000, 255),
      client.metadata(),
      reject,
    ),
  );
  await expect(answer).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  malformed.close();
  expect(read).toEqual([]);
  expect(turned).toEqual([tenantId, tenantId]);
});
