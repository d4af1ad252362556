import type { Metadata } from '@grpc/grpc-js';
import type { Gate } from '../edge/access/gate.ts';
import type { Logger } from '../base/log.ts';
import type { TenantTurns } from '../base/tenant-turns.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';
import type { ConnectionGuard } from '../net/connection-guard.ts';
import type { RoutesToPeers } from '../replicas/routes-to-peers.ts';
import type { LinksToOwners } from './by-link/links-to-owners.ts';

/** What every service needs at its edge. */
export interface Edge {
  gate: Gate;
  log: Logger;
  /** Of the port on which the calls come. */
  connections: ConnectionGuard;
  turns: TenantTurns<TenantId>;
  /** Where the calls go whose tenants' shards other engines have; undefined where there can be no others. */
  replicas?: RoutesToPeers | undefined;
  /** Whether clients may go on to compress what they send. */
  takesCompressed: boolean;
  /** By which an edge passes the commonest calls on; undefined where calls are carried out. */
  ownerLinks?: LinksToOwners | undefined;
}

/** A stream of a client's and one to it, once it is known whose it is. */
export interface Duplex<Req> {
  handle(request: Req): void;
  /** The stream is over, from whichever side. */
  end(): void;
}

/** An answer with initial metadata of its own. */
export class Headed<Res> {
  readonly value: Res;
  readonly metadata: Metadata;

  constructor(value: Res, metadata: Metadata) {
    this.value = value;
    this.metadata = metadata;
  }
}
