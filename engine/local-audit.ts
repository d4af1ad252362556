import type { Pool } from 'pg';
import { AuditLog } from './auth/audit-log.ts';
import { preparePartitions } from './postgres/partitions.ts';

/** What somebody changes straight on the database, in the audit log: no token, and no address but this machine. */
export class LocalAudit {
  readonly #pool: Pool;
  readonly #audit: AuditLog;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#audit = new AuditLog({ reads: pool, writes: pool });
  }

  /** Resolves once the line is stored. @param action the command */
  async note(line: { tenantId: string; action: string; ids: readonly string[] }): Promise<void> {
    const write = (): Promise<void> => this.#audit.write({ ...line, tokenId: null, address: 'local', outcome: 'OK' });
    await write().catch(async () => {
      // The day's partition may be missing: engines make it, and none may have run today.
      await this.#preparePartitions();
      await write();
    });
  }

  async #preparePartitions(): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await preparePartitions(client, Date.now());
    } finally {
      client.release();
    }
  }
}
