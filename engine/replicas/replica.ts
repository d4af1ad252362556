import { networkInterfaces } from 'node:os';
import type { Sealer } from '../auth/secrets/sealer.ts';
import type { Address } from '../base/engine-options.ts';
import { delay, type Host } from '../base/host.ts';
import type { Logger } from '../base/log.ts';
import { hostPort, isWildcard } from '../net/bind-address.ts';
import type { TlsIdentity } from '../net/tls-identity.ts';
import type { Peer, ReplicaAddress } from '../model/replica.ts';
import { ForwardedFor } from './forwarded-for.ts';
import { PeerClients } from './peer-clients.ts';
import { PeerRequests } from './peer-requests.ts';
import { RoutesToPeers, type ShardOwners } from './routes-to-peers.ts';

/** Shards that nobody takes within this are left to whoever comes. */
const longestHandOverMs = 10_000;
/** Clients that have not gone by then are cut. */
const longestFarewellMs = 5_000;
const farewellLookMs = 50;

interface Owners extends ShardOwners {
  takeCallsAt(address: ReplicaAddress): Promise<void>;
  withdraw(longestMs: number): Promise<void>;
}

/** This engine among the others on its database: where calls go that are not for it, how it joins them and how it leaves. */
export class Replica {
  readonly routes: RoutesToPeers;
  readonly requests: PeerRequests;
  readonly #owners: Owners;
  /** Connections to the other engines. */
  readonly clients: PeerClients;
  readonly #tls: TlsIdentity | undefined;
  readonly #host: Host;
  readonly #log: Logger;
  readonly #left = new AbortController();
  #isLeaving = false;

  /** @param options.certificateOf what a peer has stored as its certificate */
  constructor(options: {
    owners: Owners;
    certificateOf: (id: string) => Promise<string | null>;
    sealer: Sealer;
    tls: TlsIdentity | undefined;
    host: Host;
    log: Logger;
  }) {
    const { certificateOf, tls } = options;
    const connections = { certificateOf, own: () => tls?.certificate };
    this.#owners = options.owners;
    this.#tls = tls;
    this.#host = options.host;
    this.#log = options.log;
    this.clients = new PeerClients({ ...connections, peers: () => options.owners.peers });
    this.requests = new PeerRequests(connections);
    this.routes = new RoutesToPeers({
      owners: options.owners,
      clients: this.clients,
      forwardedFor: new ForwardedFor(options.sealer),
      leaving: this.#left.signal,
      log: options.log,
      host: options.host,
    });
  }

  /** It gives its shards away, and takes no new clients. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  get peers(): readonly Peer[] {
    return this.#owners.peers;
  }

  /** The others pass calls on to it from now on, and leave it its part of the shards. */
  async join(grpc: Address, http: Address): Promise<void> {
    const tell = (): Promise<void> =>
      this.#owners.takeCallsAt({
        grpc: hostPort(grpc),
        http: hostPort(http),
        certificate: this.#tls?.certificate.cert.toString() ?? null,
      });
    this.#tls?.onChange(() => void tell());
    await tell();
  }

  /**
   * Gives its shards to the others, where there are any, and passes calls on until its clients have gone.
   * @param turnAway asks them to go
   * @param clients how many are there
   */
  async leave({ turnAway, clients }: { turnAway: () => void; clients: () => number }): Promise<void> {
    this.#isLeaving = true;
    // Where engines are replaced one after the other, the one before may have joined a moment ago.
    await this.#owners.lookAround();
    if (this.#owners.peers.length === 0) return;
    await this.#owners.withdraw(longestHandOverMs);
    this.#log.info('all shards are with other engines; clients are asked to go');
    turnAway();
    this.#left.abort();
    const end = this.#host.monotonicMs() + longestFarewellMs;
    while (clients() > 0 && this.#host.monotonicMs() < end) await delay(this.#host, farewellLookMs);
  }

  stop(): void {
    this.clients.stop();
    this.requests.stop();
  }
}

/** Where others reach an engine that listens on all addresses of its machine: at the first that is not its own alone. */
export function reachableHost(host: string): string {
  if (!isWildcard(host)) return host;
  const outward = Object.values(networkInterfaces())
    .flat()
    .filter((each) => each?.internal === false);
  return (outward.find((each) => each?.family === 'IPv4') ?? outward[0])?.address ?? '127.0.0.1';
}
