import type { Client } from '@grpc/grpc-js';
import { EngineLink } from '../../../link/engine-link.ts';
import { HatchetError } from '../../base/errors.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import type { ConnectedPeers, RoutesToPeers } from '../../replicas/routes-to-peers.ts';
import { StreamToOwner } from './stream-to-owner.ts';

/** Links that are kept; over it those are closed that carry nothing. */
const mostKept = 1_000;
/** In place of the client's address, which the link has for each of its clients: their calls are in the audit log already. */
const anEdge = 'edge';

/**
 * The links of an edge to the engines that hold shards. All calls of a token share one, by which they travel many at a time: to an
 * owner they are one program's.
 */
export class LinksToOwners {
  readonly #links = new Map<string, EngineLink>();
  readonly #routes: RoutesToPeers;
  readonly #clients: ConnectedPeers<Client>;
  readonly #forwardedFor: string;

  constructor(options: { routes: RoutesToPeers; clients: ConnectedPeers<Client> }) {
    this.#routes = options.routes;
    this.#clients = options.clients;
    this.#forwardedFor = options.routes.forwardedFor.seal(anEdge);
  }

  /** The link for a token's calls. @param authorization the header of the call */
  of(authorization: string, tenantId: TenantId): EngineLink {
    const known = this.#links.get(authorization);
    if (known !== undefined) return known;
    if (this.#links.size >= mostKept) this.#closeIdle();
    const connected = async (): Promise<Client | undefined> => {
      const peer = await this.#routes.settledPeerFor(tenantId, { forwarded: false });
      return peer === undefined ? undefined : this.#clients.connected(peer);
    };
    const link = new EngineLink(
      {
        connect: () => new StreamToOwner({ connected, authorization, forwardedFor: this.#forwardedFor }),
        welcomed: () => undefined,
        whyHopeless: async () => undefined,
      },
      { isRelay: true },
    );
    this.#links.set(authorization, link);
    return link;
  }

  /** Room for a call that waits here. @returns to call when it is answered @throws HatchetError NOT_OWNER where there is none */
  enter(bytes: number): () => void {
    return this.#routes.enter(bytes);
  }

  stop(): void {
    const error = new HatchetError('STOPPING', 'the engine is stopping', { remedy: 'Try again once it is back.' });
    for (const link of this.#links.values()) link.close(error);
    this.#links.clear();
  }

  #closeIdle(): void {
    for (const [authorization, link] of this.#links) {
      if (link.isBusy) continue;
      link.close(undefined);
      this.#links.delete(authorization);
    }
  }
}
