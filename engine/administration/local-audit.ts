import type { Pool } from 'pg';
import { AuditLog } from '../auth/audit-log.ts';
import { dayOf, partitionName } from '../postgres/schema/day-partitions.ts';
import { preparePartitions } from '../postgres/schema/prepare-partitions.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

const hasPartition = `
  SELECT EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'audit_line'::regclass AND c.relname = $1) AS there`;

/** What somebody changes straight on the database, in the audit log: no token, and no address but this machine. */
export class LocalAudit {
  readonly #pool: Pool;
  readonly #audit: AuditLog;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#audit = new AuditLog({ reads: pool, writes: pool });
  }

  /** Resolves once the line is stored. @param line.action the command */
  async note(line: { tenantId: TenantId; action: string; ids: readonly string[] }): Promise<void> {
    await this.#preparePartition();
    await this.#audit.write({ ...line, tokenId: null, address: 'local', outcome: 'OK' });
  }

  /** Engines make the day's partition; none may have run today. */
  async #preparePartition(): Promise<void> {
    const nowMs = Date.now();
    const { rows } = await this.#pool.query<{ there: boolean }>(hasPartition, [
      partitionName('audit_line', dayOf(nowMs)),
    ]);
    if (rows[0]?.there === true) return;
    const client = await this.#pool.connect();
    try {
      await preparePartitions(client, nowMs);
    } finally {
      client.release();
    }
  }
}
