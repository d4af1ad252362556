import { setTimeout as delay } from 'node:timers/promises';
import { Client, type Pool } from 'pg';
import type { AuditLog } from '../auth/audit-log.ts';
import type { Logger } from '../base/log.ts';
import { connectionConfig } from '../postgres/connect.ts';
import type { Owner } from '../shard/owner.ts';
import { deleteRows, deleteTenant, preparePurge } from './delete-rows.ts';
import { emptyMemory } from './empty-memory.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

const everyMs = 30_000;
/** A token that was good is refused within 4 s, and what it had open ends 2 s later: until then rows of the tenant may still come. */
const graceMs = 10_000;
const progressMs = 10_000;
const statementMs = 60_000;
/** One engine at a time deletes rows. */
const purgeLock = 7_077_700_005;

const deletedTenants = {
  name: 'deleted_tenants',
  text: `SELECT id, name, (extract(epoch FROM now() - deleted_at) * 1000)::double precision AS age_ms FROM tenant WHERE deleted_at IS NOT NULL ORDER BY deleted_at`,
};

interface DeletedTenant {
  id: TenantId;
  name: string;
  age_ms: number;
}

interface PurgeOptions {
  owner: Pick<Owner, 'submit' | 'stateOf'>;
  reads: Pool;
  databaseUrl: string;
  audit: Pick<AuditLog, 'write'>;
  log: Logger;
}

/**
 * Removes tenants that were marked as deleted: first what memory holds of them, then their rows. The engine that owns a
 * tenant's shard does it. Interrupted anywhere, by the end of the process too, the next look goes on.
 */
export class TenantPurge {
  readonly #options: PurgeOptions;
  readonly #stopped = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  /** It was asked to look while it did. */
  #again = false;

  constructor(options: PurgeOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), everyMs);
    this.look();
  }

  /** Now, and not only at its next time: shards are served from now on. */
  look(): void {
    if (this.#stopped.signal.aborted) return;
    this.#again = this.#looking !== undefined;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      if (this.#again) this.look();
    });
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopped.abort();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { owner, reads, log } = this.#options;
    try {
      const { rows } = await reads.query<DeletedTenant>(deletedTenants);
      for (const tenant of rows)
        if (owner.stateOf(tenant.id) !== undefined && !this.#stopped.signal.aborted) await this.#purge(tenant);
    } catch (error) {
      if (!this.#stopped.signal.aborted)
        log.warn({ err: error }, 'deleted tenants could not be looked for; trying again');
    }
  }

  /** What fails holds up no other tenant. */
  async #purge(tenant: DeletedTenant): Promise<void> {
    const { owner, log } = this.#options;
    const { signal } = this.#stopped;
    const facts = { tenantId: tenant.id, tenant: tenant.name };
    const startedAt = performance.now();
    try {
      log.info(facts, 'a deleted tenant is being purged');
      await this.#empty(tenant.id);
      await delay(Math.max(graceMs - tenant.age_ms - (performance.now() - startedAt), 0), undefined, { signal });
      await this.#empty(tenant.id);
      const rows = await this.#deleteRows(tenant);
      if (rows !== undefined)
        log.info({ ...facts, rows, ms: Math.round(performance.now() - startedAt) }, 'a deleted tenant is purged');
    } catch (error) {
      if (signal.aborted || owner.stateOf(tenant.id) === undefined) return;
      log.warn({ err: error, ...facts }, 'a deleted tenant could not be purged; trying again');
    }
  }

  async #empty(tenantId: TenantId): Promise<void> {
    if (!(await emptyMemory(this.#options.owner, tenantId, this.#stopped.signal)))
      throw new Error('memory holds something of the tenant still');
  }

  /** @returns the number of rows; undefined where it was stopped, or another engine is at it */
  async #deleteRows({ id: tenantId, name }: DeletedTenant): Promise<number | undefined> {
    const { databaseUrl, audit, log } = this.#options;
    const client = new Client({ ...connectionConfig(databaseUrl, 'hatchet purge'), statement_timeout: statementMs });
    client.on('error', () => undefined); // what it breaks fails by itself
    await client.connect();
    try {
      const { rows: locks } = await client.query<{ locked: boolean }>(
        'SELECT pg_try_advisory_lock($1::bigint) AS locked',
        [purgeLock],
      );
      if (locks[0]?.locked !== true) return undefined;
      await preparePurge(client);
      let rows = 0;
      let saidAt = performance.now();
      const onProgress = (deleted: number): void => {
        rows = deleted;
        if (performance.now() - saidAt < progressMs) return;
        saidAt = performance.now();
        log.info({ tenantId, tenant: name, rows }, 'rows of a deleted tenant are being deleted');
      };
      if (!(await deleteRows({ client, tenantId, signal: this.#stopped.signal, onProgress }))) return undefined;
      await audit.write({
        tenantId,
        tokenId: null,
        action: 'purge of the deleted tenant',
        ids: [tenantId, name],
        address: 'local',
        outcome: 'OK',
      });
      await deleteTenant(client, tenantId);
      return rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
