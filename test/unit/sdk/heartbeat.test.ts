import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DispatcherService, type HeartbeatRequest } from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import { resolveConfig } from '../../../sdk/config/client-config.ts';
import { Connection } from '../../../sdk/connection/connection.ts';
import { Heartbeat } from '../../../sdk/worker/heartbeat.ts';

let server: Server;
let connection: Connection;
let heartbeat: Heartbeat;
let beats: { request: HeartbeatRequest; authorization: unknown }[];
let unknown: string[];
let peers: Set<string>;
let answer: status;

beforeEach(async () => {
  beats = [];
  unknown = [];
  peers = new Set();
  answer = status.OK;
  server = new Server();
  server.register(
    '/Dispatcher/Heartbeat',
    (
      call: { request: HeartbeatRequest; metadata: { get(name: string): unknown[] }; getPeer(): string },
      respond: (error: object | null, response?: object) => void,
    ) => {
      peers.add(call.getPeer());
      beats.push({ request: call.request, authorization: call.metadata.get('authorization')[0] });
      if (answer === status.OK) respond(null, {});
      else respond({ code: answer, details: 'the worker is not known: é' });
    },
    DispatcherService.heartbeat.responseSerialize,
    DispatcherService.heartbeat.requestDeserialize,
    'unary',
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const claims = Buffer.from(
    JSON.stringify({ sub: 't', server_url: 'http://127.0.0.1:1', grpc_broadcast_address: `127.0.0.1:${port}` }),
  ).toString('base64url');
  connection = new Connection(resolveConfig({ token: `a.${claims}.c` }, {}, () => undefined));
  heartbeat = new Heartbeat(connection, { onUnknownWorker: (id) => unknown.push(id) });
});

afterEach(async () => {
  await heartbeat.stop();
  connection.close();
  server.forceShutdown();
});

describe('the heartbeat thread', () => {
  it('says who lives, at once, and with the token', async () => {
    heartbeat.beatFor('8d6cbd9c-6a35-4b7a-9d6e-1f2a3b4c5d6e');
    await expect.poll(() => beats.length).toBe(1);
    const [beat] = beats;
    expect(beat?.request.workerId).toBe('8d6cbd9c-6a35-4b7a-9d6e-1f2a3b4c5d6e');
    expect(Math.abs((beat?.request.heartbeatAt?.getTime() ?? 0) - Date.now())).toBeLessThan(5_000);
    expect(beat?.authorization).toBe(`bearer ${connection.config.token}`);
  });

  it('goes on for the new id after a registration anew', async () => {
    heartbeat.beatFor('first');
    await expect.poll(() => beats.length).toBe(1);
    heartbeat.beatFor('second');
    await expect.poll(() => beats.map(({ request }) => request.workerId)).toEqual(['first', 'second']);
  });

  it('beats for all workers of the process, each until it stops', async () => {
    const other = new Heartbeat(connection, { onUnknownWorker: (id) => unknown.push(id) });
    heartbeat.beatFor('one');
    other.beatFor('two');
    await expect.poll(() => beats.map(({ request }) => request.workerId)).toEqual(['one', 'two']);
    expect(peers.size).toBe(1);
    await heartbeat.stop();
    other.beatFor('three');
    await expect.poll(() => beats.map(({ request }) => request.workerId)).toEqual(['one', 'two', 'three']);
    answer = status.NOT_FOUND;
    other.beatFor('four');
    await expect.poll(() => unknown).toEqual(['four']);
    await other.stop();
    answer = status.OK;
    heartbeat = new Heartbeat(connection, { onUnknownWorker: (id) => unknown.push(id) });
    heartbeat.beatFor('five');
    await expect.poll(() => beats.at(-1)?.request.workerId).toBe('five');
    expect(peers.size).toBe(2);
  });

  it('tells when the engine does not know the worker', async () => {
    answer = status.NOT_FOUND;
    heartbeat.beatFor('gone');
    await expect.poll(() => unknown).toEqual(['gone']);
  });

  it('survives other answers, and a server that is away', async () => {
    answer = status.INTERNAL;
    heartbeat.beatFor('stays');
    await expect.poll(() => beats.length).toBe(1);
    server.forceShutdown();
    heartbeat.beatFor('stays');
    await heartbeat.stop();
    expect(unknown).toEqual([]);
  });
});
