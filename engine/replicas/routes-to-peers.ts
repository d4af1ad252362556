import type { Client } from '@grpc/grpc-js';
import type { TenantId } from '../model/ids/tenant-id.ts';
import { delay, type Host } from '../base/host.ts';
import type { Logger } from '../base/log.ts';
import { isMovedAway, longestWaitMs, movedAway, noOwner } from '../base/not-owner.ts';
import type { Peer } from '../model/replica.ts';
import type { ForwardedFor } from './forwarded-for.ts';
import { PassingRoom } from './passing-room.ts';

/** Before it is looked again who has a shard that nobody took a call for. */
const lookAgainMs = 50;
/** Between two lines in the log about the same engine. */
const nameAgainMs = 60_000;

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
  /** Aborts once clients were asked to go: new calls of theirs come to other engines. */
  readonly leaving: AbortSignal;
  readonly #owners: ShardOwners;
  readonly #clients: ConnectedPeers<PeerClient>;
  readonly #host: Host;
  readonly #log: Logger;
  readonly #room = new PassingRoom();
  /** When each engine that could not be reached was last named in the log, by its address. */
  readonly #named = new Map<string, number>();

  constructor(options: {
    owners: ShardOwners;
    clients: ConnectedPeers<PeerClient>;
    forwardedFor: ForwardedFor;
    leaving: AbortSignal;
    host: Host;
    log: Logger;
  }) {
    this.#log = options.log;
    this.leaving = options.leaving;
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

  /** Room for a call that waits for another engine. @returns to call when it is answered @throws HatchetError NOT_OWNER */
  enter(bytes: number): () => void {
    return this.#room.enter(bytes);
  }

  /**
   * Passes a call on by the peer's client, again and again until somebody takes it, for up to 30 s.
   * @param bytes of its request, which is kept meanwhile
   * @param send makes the call; `notTaken` where nothing of it was carried out
   * @param here this engine has the shard by now
   */
  passOn<Sent, Here>(
    tenantId: TenantId,
    bytes: number,
    send: (client: PeerClient) => Promise<Sent | typeof notTaken>,
    here: () => Here,
  ): Promise<Sent | Here> {
    const sendTo = async (peer: Peer): Promise<Sent | typeof notTaken> => {
      const client = await this.#clients.connected(peer);
      if (client !== undefined) return send(client);
      this.#nameUnreachable(peer);
      return notTaken;
    };
    return this.passOnRequest(tenantId, bytes, sendTo, here);
  }

  /** As `passOn`, whatever it is sent by. @throws HatchetError NOT_OWNER */
  async passOnRequest<Sent, Here>(
    tenantId: TenantId,
    bytes: number,
    send: (peer: Peer) => Promise<Sent | typeof notTaken>,
    here: () => Here,
  ): Promise<Sent | Here> {
    const end = this.#host.monotonicMs() + longestWaitMs;
    const leave = this.#room.enter(bytes);
    try {
      for (;;) {
        const peer = this.#owners.peerOf(tenantId);
        if (peer === undefined) break;
        const answer = await send(peer);
        if (answer !== notTaken) return answer;
        if (this.#host.monotonicMs() >= end) throw noOwner();
        await this.#owners.lookAround();
        if (this.#owners.peerOf(tenantId) === peer) await delay(this.#host, lookAgainMs);
      }
    } finally {
      leave();
    }
    return here();
  }

  /** It is alive, and yet nobody there answers. */
  #nameUnreachable({ grpc }: Peer): void {
    const nowMs = this.#host.monotonicMs();
    if (nowMs - (this.#named.get(grpc) ?? -Infinity) < nameAgainMs) return;
    this.#named.set(grpc, nowMs);
    this.#log.warn(
      { engine: grpc, code: 'ENGINE_UNREACHABLE' },
      'another engine on this database cannot be reached, and calls of its tenants wait: check the network between them, and --advertise-host there',
    );
  }
}

/** Nothing of a call was carried out. */
export const notTaken = Symbol('not taken');
