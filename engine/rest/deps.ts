import type { HttpBindings } from '@hono/node-server';
import type { Pool } from 'pg';
import type { AuditLog } from '../auth/audit-log.ts';
import type { PageLinks } from '../auth/page-links.ts';
import type { Identity, Tokens } from '../auth/tokens.ts';
import type { WebhookStore } from '../auth/webhooks/webhook-store.ts';
import type { Caller } from '../edge/access/caller.ts';
import type { Gate } from '../edge/access/gate.ts';
import type { Commands } from '../edge/parsed-commands.ts';
import type { Logger } from '../base/log.ts';
import type { MonitorCalls } from '../grpc/monitor-calls.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { PeerRequests } from '../replicas/peer-requests.ts';
import type { RoutesToPeers } from '../replicas/routes-to-peers.ts';
import type { PageFiles } from './page/page-files.ts';

/** Where requests go whose tenants' shards other engines have. */
export interface PassingOn {
  routes: RoutesToPeers;
  requests: PeerRequests;
}

/** What the routes call. */
export interface RestDeps {
  gate: Gate;
  audit: AuditLog;
  tokens: Tokens;
  owner: Commands;
  pool: Pool;
  webhooks: WebhookStore;
  log: Logger;
  passingOn: PassingOn;
  version: string;
  metrics: Metrics;
  monitor: MonitorCalls;
  /** Undefined where it is switched off. It has no files where it was not built. */
  page: { files: PageFiles | undefined } | undefined;
  links: PageLinks;
  /** People may end sleeps early. */
  allowSkip: boolean;
  /** Whether commands are being carried out. */
  isReady(): boolean;
}

/**
 * What every handler finds in its context: whose token it is, and, once the gate has admitted the call, its caller. `client` is the
 * address of a client whose request another engine has passed on.
 */
export type RestEnv = {
  Bindings: HttpBindings;
  Variables: { identity: Identity; caller: Caller; client: string | undefined };
};
