import type { Metadata } from '@grpc/grpc-js';
import type { Caller } from '../../edge/access/caller.ts';
import type { CallFacts } from '../../edge/access/gate.ts';
import type { Logger } from '../../base/log.ts';
import { forwardedHeader } from '../../replicas/forwarded-for.ts';
import type { Peer } from '../../model/replica.ts';
import type { Edge } from '../edge.ts';
import { toServiceError } from '../service-error.ts';
import { PeerError } from './pass-on.ts';

/** What stands before each call of a method. */
export interface Gated {
  edge: Edge;
  facts: Omit<CallFacts, 'address'>;
}

interface AnyCall {
  metadata: Metadata;
  getPeer(): string;
}

/** Where a call comes from. */
export interface Origin {
  /** Of the client, whoever has passed the call on. */
  address: () => string;
  /** By another engine. */
  isForwarded: boolean;
}

export function originOf({ replicas }: Edge, call: AnyCall): Origin {
  const [header] = replicas === undefined ? [] : call.metadata.get(forwardedHeader);
  const client = replicas?.forwardedFor.open(typeof header === 'string' ? header : undefined);
  return { address: () => client ?? hostOf(call.getPeer()), isForwarded: client !== undefined };
}

/** The engine that the call is for, where that is another one. @throws HatchetError NOT_OWNER */
export function peerFor({ replicas }: Edge, identity: Caller['identity'], origin: Origin): Peer | undefined {
  return replicas?.peerFor(identity.tenantId, { forwarded: origin.isForwarded });
}

/** As `peerFor`, once the shard is served somewhere: a stream stays where it begins. */
export async function settledPeerFor(
  { replicas }: Edge,
  identity: Caller['identity'],
  origin: Origin,
): Promise<Peer | undefined> {
  return replicas?.settledPeerFor(identity.tenantId, { forwarded: origin.isForwarded });
}

export function authorization(metadata: Metadata): string | undefined {
  const [value] = metadata.get('authorization');
  return typeof value === 'string' ? value : undefined;
}

/** `ipv4:127.0.0.1:5000`, `[::1]:5000` or `127.0.0.1:5000`, without the port. */
export function hostOf(peer: string): string {
  return peer
    .replace(/^ipv[46]:/, '')
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1');
}

/** The connection has shown a good token: it is no stranger's any more. */
export function welcome({ connections }: Edge, call: { getPeer(): string }): void {
  if (connections.hasStrangers) connections.admit(call.getPeer());
}

/** What the client is told: another engine's own words, where it has refused the call. */
export function callError(error: unknown, log: Logger): ReturnType<typeof toServiceError> {
  return error instanceof PeerError ? error : toServiceError(error, log);
}
