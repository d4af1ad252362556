import { createSecureContext } from 'node:tls';
import { Client, credentials, type ChannelCredentials } from '@grpc/grpc-js';
import type { Peer } from '../model/replica.ts';
import type { ConnectedPeers } from './routes-to-peers.ts';

/** As for clients: a bulk call may be long. */
const longestMessage = 64 * 1024 * 1024;
/** A peer that cannot be reached within this is not waited for: its shards may be with another one by then. */
const connectMs = 1_000;

/** What this engine serves TLS with, where it does: its peers are told the certificate, and may ask for one. */
export interface OwnCertificate {
  cert: string | Buffer;
  key: string | Buffer;
}

interface PeerClient {
  peer: Peer;
  client: Promise<Client>;
}

/** Connections to the other engines on this database, one each. */
export class PeerClients implements ConnectedPeers<Client> {
  readonly #certificateOf: (id: string) => Promise<string | null>;
  readonly #own: () => OwnCertificate | undefined;
  readonly #peers: () => readonly Peer[];
  readonly #clients = new Map<string, PeerClient>();

  /** @param options.certificateOf what a peer has stored as its certificate */
  constructor(options: {
    certificateOf: (id: string) => Promise<string | null>;
    own: () => OwnCertificate | undefined;
    peers: () => readonly Peer[];
  }) {
    this.#peers = options.peers;
    this.#certificateOf = options.certificateOf;
    this.#own = options.own;
  }

  async connected(peer: Peer): Promise<Client | undefined> {
    const known = this.#clients.get(peer.id);
    const entry = known?.peer === peer ? known : this.#open(peer, known);
    try {
      const client = await entry.client;
      await new Promise<void>((resolve, reject) =>
        client.waitForReady(Date.now() + connectMs, (error) => (error === undefined ? resolve() : reject(error))),
      );
      return client;
    } catch {
      if (this.#clients.get(peer.id) === entry) this.#close(peer.id);
      return undefined;
    }
  }

  stop(): void {
    for (const id of this.#clients.keys()) this.#close(id);
  }

  #open(peer: Peer, before: PeerClient | undefined): PeerClient {
    before?.client.then((client) => client.close()).catch(() => undefined);
    // Engines come as others go: what is left of those that went is dropped then.
    const there = new Set(this.#peers().map(({ id }) => id));
    for (const id of this.#clients.keys()) if (!there.has(id)) this.#close(id);
    const entry = { peer, client: this.#connect(peer) };
    entry.client.catch(() => undefined); // whoever waits for it hears of it
    this.#clients.set(peer.id, entry);
    return entry;
  }

  #close(id: string): void {
    const entry = this.#clients.get(id);
    this.#clients.delete(id);
    entry?.client.then((client) => client.close()).catch(() => undefined);
  }

  async #connect(peer: Peer): Promise<Client> {
    return new Client(peer.grpc, await this.#credentials(peer), {
      'grpc.max_receive_message_length': longestMessage,
      'grpc.max_send_message_length': longestMessage,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 1_000,
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 5_000,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_channelz': 0,
      'grpc.enable_retries': 0,
      // For the handshake alone, which takes no address for a name.
      'grpc.ssl_target_name_override': 'engine',
    });
  }

  async #credentials(peer: Peer): Promise<ChannelCredentials> {
    const certificate = await this.#certificateOf(peer.id);
    if (certificate === null) return credentials.createInsecure();
    return credentials.createFromSecureContext(peerContext(certificate, this.#own()), {
      checkServerIdentity: () => undefined, // it is known by its certificate
    });
  }
}

/** Trusts the one certificate that the peer has stored, by whatever name and of whatever authority, and shows this engine's own. */
export function peerContext(
  certificate: string,
  own: OwnCertificate | undefined,
): ReturnType<typeof createSecureContext> {
  return createSecureContext({ ca: certificate, allowPartialTrustChain: true, ...own });
}
