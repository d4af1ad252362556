import type { HttpBindings } from '@hono/node-server';
import type { Pool } from 'pg';
import type { Identity, Tokens } from '../auth/tokens.ts';
import type { Logger } from '../log.ts';
import type { Owner } from '../shard/owner.ts';

/** What the routes call. */
export interface RestDeps {
  tokens: Tokens;
  owner: Owner;
  pool: Pool;
  log: Logger;
  version: string;
  /** Whether commands are being carried out. */
  isReady(): boolean;
}

/** What every authenticated handler finds in its context. */
export type RestEnv = { Bindings: HttpBindings; Variables: { caller: Identity } };
