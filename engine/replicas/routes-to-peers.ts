import type { Client } from '@grpc/grpc-js';
import type { TenantId } from '../model/ids/tenant-id.ts';
import { delay, type Host } from '../base/host.ts';
import { isMovedAway, movedAway } from '../base/moved-away.ts';
import type { Peer } from '../model/replica.ts';
import type { ForwardedFor } from './forwarded-for.ts';

/** As long as commands wait for an owner. */
const longestWaitMs = 30_000;
/** Before it is looked again who has a shard that nobody took a call for. */
const lookAgainMs = 50;

export interface ShardOwners {
  /** The other engine that has a tenant's shard. */
  peerOf(tenantId: TenantId): Peer | undefined;
  /** All other engines that take calls. */
  readonly peers: readonly Peer[];
  /** Undefined where this engine does not serve the tenant's shard. */
  stateOf(tenantId: TenantId): object | undefined;
  /** Resolves once this engine serves it. @throws HatchetError NOT_OWNER where another one does, or nobody within 30 s */
  served(tenantId: TenantId): Promise<unknown>;
  lookAround(): Promise<void>;
}

/** Connections to the other engines. */
export interface ConnectedPeers<PeerClient> {
  /** Its client once it is connected; undefined where it cannot be reached: nothing was sent. */
  connected(peer: Peer): Promise<PeerClient | undefined>;
}

/** Calls of tenants whose shards other engines have: to whom they go, and what becomes of them while shards change hands. */
export class RoutesToPeers<PeerClient = Client> {
  readonly forwardedFor: ForwardedFor;
  readonly #owners: ShardOwners;
  readonly #clients: ConnectedPeers<PeerClient>;
  readonly #host: Host;

  constructor(options: {
    owners: ShardOwners;
    clients: ConnectedPeers<PeerClient>;
    forwardedFor: ForwardedFor;
    host: Host;
  }) {
    this.forwardedFor = options.forwardedFor;
    this.#owners = options.owners;
    this.#clients = options.clients;
    this.#host = options.host;
  }

  /**
   * The engine that a call goes to; undefined where it is for this one.
   * @param forwarded by another engine, which knows better than this one where it goes
   * @throws HatchetError NOT_OWNER for a forwarded call that is not for this engine
   */
  peerFor(tenantId: TenantId, { forwarded }: { forwarded: boolean }): Peer | undefined {
    const peer = this.#owners.peerOf(tenantId);
    if (peer !== undefined && forwarded) throw movedAway();
    return peer;
  }

  /** As `peerFor`, once it is known who has the shard. */
  async settledPeerFor(tenantId: TenantId, options: { forwarded: boolean }): Promise<Peer | undefined> {
    const peer = this.peerFor(tenantId, options);
    const isSettled =
      peer !== undefined || this.#owners.peers.length === 0 || this.#owners.stateOf(tenantId) !== undefined;
    if (isSettled) return peer;
    try {
      await this.#owners.served(tenantId);
    } catch (error) {
      if (!isMovedAway(error)) throw error;
    }
    return this.peerFor(tenantId, options);
  }

  /**
   * Passes a call on by the peer's client, again and again until somebody takes it, for up to 30 s.
   * @param send makes the call; `notTaken` where nothing of it was carried out
   * @param here this engine has the shard by now
   */
  passOn<Sent, Here>(
    tenantId: TenantId,
    send: (client: PeerClient) => Promise<Sent | typeof notTaken>,
    here: () => Here,
  ): Promise<Sent | Here> {
    const sendTo = async (peer: Peer): Promise<Sent | typeof notTaken> => {
      const client = await this.#clients.connected(peer);
      return client === undefined ? notTaken : send(client);
    };
    return this.passOnRequest(tenantId, sendTo, here);
  }

  /** As `passOn`, whatever it is sent by. */
  async passOnRequest<Sent, Here>(
    tenantId: TenantId,
    send: (peer: Peer) => Promise<Sent | typeof notTaken>,
    here: () => Here,
  ): Promise<Sent | Here> {
    const end = this.#host.monotonicMs() + longestWaitMs;
    for (;;) {
      const peer = this.#owners.peerOf(tenantId);
      if (peer === undefined) return here();
      const answer = await send(peer);
      if (answer !== notTaken) return answer;
      if (this.#host.monotonicMs() >= end) throw movedAway();
      await this.#owners.lookAround();
      if (this.#owners.peerOf(tenantId) === peer) await delay(this.#host, lookAgainMs);
    }
  }
}

/** Nothing of a call was carried out. */
export const notTaken = Symbol('not taken');
