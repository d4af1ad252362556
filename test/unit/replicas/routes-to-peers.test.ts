import { randomBytes } from 'node:crypto';
import { Client, credentials } from '@grpc/grpc-js';
import { pino } from 'pino';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { masterKey, Sealer } from '../../../engine/auth/secrets/sealer.ts';
import type { Host } from '../../../engine/base/host.ts';
import { movedAway } from '../../../engine/base/not-owner.ts';
import type { Peer } from '../../../engine/model/replica.ts';
import { ForwardedFor } from '../../../engine/replicas/forwarded-for.ts';
import { notTaken, RoutesToPeers } from '../../../engine/replicas/routes-to-peers.ts';
import { tenantOf } from '../../helpers/tenant.ts';

const tenantId = tenantOf('t');
const a: Peer = { id: 'a', grpc: 'a:1', http: 'a:2' };
const b: Peer = { id: 'b', grpc: 'b:1', http: 'b:2' };
const client = new Client('127.0.0.1:1', credentials.createInsecure());

let nowMs: number;
let owner: Peer | undefined;
let isServedHere: boolean;
let reachable: Set<Peer>;
/** What happens with each look around. */
let looked: () => void;
let lines: string[];
let routes: RoutesToPeers;

/** Time passes with each timer. */
const host: Host = {
  monotonicMs: () => nowMs,
  wallMs: () => nowMs,
  setTimeout: (run, ms) => {
    nowMs += ms;
    queueMicrotask(run);
    return { clear: () => undefined, unref: () => undefined };
  },
  setInterval: () => ({ clear: () => undefined, unref: () => undefined }),
  setImmediate: (run) => queueMicrotask(run),
};

beforeEach(() => {
  nowMs = 0;
  owner = a;
  isServedHere = false;
  reachable = new Set([a, b]);
  looked = () => undefined;
  lines = [];
  routes = new RoutesToPeers({
    owners: {
      peerOf: () => owner,
      peers: [a, b],
      stateOf: () => (isServedHere ? {} : undefined),
      served: async () => {
        if (owner !== undefined) throw movedAway();
        looked();
        if (!isServedHere) throw movedAway();
      },
      lookAround: async () => looked(),
    },
    clients: { connected: async (peer) => (reachable.has(peer) ? client : undefined) },
    forwardedFor: new ForwardedFor(new Sealer([masterKey(randomBytes(32))])),
    leaving: new AbortController().signal,
    host,
    log: pino({ level: 'warn' }, { write: (line) => void lines.push(line) }),
  });
});

afterAll(() => client.close());

const here = (): string => 'here';

it('passes a call on once, to the engine that has the shard', async () => {
  let sent = 0;
  expect(await routes.passOn(tenantId, 1, async () => `sent ${++sent}`, here)).toBe('sent 1');
});

it('looks again where nobody has taken it, until another one does', async () => {
  const to: (Peer | undefined)[] = [];
  looked = () => (owner = to.length < 3 ? a : b);
  const send = async (peer: Peer): Promise<string | typeof notTaken> => {
    to.push(peer);
    return peer === b ? 'taken' : notTaken;
  };
  expect(await routes.passOnRequest(tenantId, 1, send, here)).toBe('taken');
  expect(to).toEqual([a, a, a, b]);
});

it('carries it out itself where it has the shard by now', async () => {
  looked = () => (owner = undefined);
  expect(await routes.passOn(tenantId, 1, async () => notTaken, here)).toBe('here');
});

it('gives up after half a minute, and does not call a refusal a success', async () => {
  const call = routes.passOn(tenantId, 1, async () => notTaken, here);
  await expect(call).rejects.toMatchObject({ code: 'NOT_OWNER', details: {} });
  expect(nowMs).toBeGreaterThanOrEqual(30_000);
  const refused = routes.passOn(tenantId, 1, () => Promise.reject(new Error('refused')), here);
  await expect(refused).rejects.toThrow('refused');
});

it('names an engine that is alive and cannot be reached, once', async () => {
  reachable.clear();
  await expect(routes.passOn(tenantId, 1, async () => 'sent', here)).rejects.toMatchObject({ code: 'NOT_OWNER' });
  expect(lines).toEqual([expect.stringContaining('"engine":"a:1","code":"ENGINE_UNREACHABLE"')]);
});

it('keeps no more than there is room for, and has it again afterwards', async () => {
  const half = 128 * 1024 * 1024;
  const held: (() => void)[] = [];
  const hold = (): Promise<string> => new Promise((resolve) => held.push(() => resolve('sent')));
  const calls = [routes.passOn(tenantId, half, hold, here), routes.passOn(tenantId, half, hold, here)];
  await expect(routes.passOn(tenantId, 1, hold, here)).rejects.toMatchObject({
    code: 'NOT_OWNER',
    remedy: 'Slow down and try again.',
  });
  await expect.poll(() => held.length).toBe(2);
  for (const each of held.splice(0)) each();
  expect(await Promise.all(calls)).toEqual(['sent', 'sent']);
  const again = routes.passOn(tenantId, 2 * half, hold, here);
  await expect.poll(() => held.length).toBe(1);
  held[0]?.();
  expect(await again).toBe('sent');
});

it('passes nothing on that was passed on to it', () => {
  expect(routes.peerFor(tenantId, { forwarded: false })).toBe(a);
  expect(() => routes.peerFor(tenantId, { forwarded: true })).toThrow('another engine has taken this over');
  owner = undefined;
  expect(routes.peerFor(tenantId, { forwarded: true })).toBeUndefined();
});

it('waits with a stream until it is known who has the shard', async () => {
  owner = undefined;
  looked = () => (owner = b);
  expect(await routes.settledPeerFor(tenantId, { forwarded: false })).toBe(b);
  owner = undefined;
  looked = () => (isServedHere = true);
  expect(await routes.settledPeerFor(tenantId, { forwarded: false })).toBeUndefined();
});
