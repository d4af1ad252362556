import type { Pool } from 'pg';
import type { Identity, Tokens } from '../auth/tokens.ts';
import type { WebhookStore } from '../auth/webhooks/webhook-store.ts';
import type { Logger } from '../log.ts';
import type { Owner } from '../shard/owner.ts';

/** What the routes call. */
export interface RestDeps {
  tokens: Tokens;
  owner: Owner;
  pool: Pool;
  webhooks: WebhookStore;
  log: Logger;
  version: string;
  /** Whether commands are being carried out. */
  isReady(): boolean;
}

/** What every authenticated handler finds in its context. */
export type RestEnv = { Variables: { caller: Identity } };
