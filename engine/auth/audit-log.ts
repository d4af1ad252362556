import type { Pool } from 'pg';
import { newId, uuidTimeMs } from '../model/ids/uuid.ts';
import { RowBuffer } from '../postgres/row-buffer.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** A call that changed something, or tried to. */
export interface AuditLine {
  tenantId: TenantId;
  /** Null for a webhook's request, which carries no token. */
  tokenId: string | null;
  /** The gRPC method or the REST route. */
  action: string;
  /** Of what was made or changed, at most the first hundred. */
  ids: readonly string[];
  /** Of the caller, without the port. */
  address: string;
  /** OK, or the code of the error. */
  outcome: string;
}

export interface StoredAuditLine extends AuditLine {
  id: string;
  atMs: number;
  tokenName: string | null;
}

const insertLines = {
  name: 'insert_audit_lines',
  text: `
    INSERT INTO audit_line (id, tenant_id, token_id, action, ids, address, outcome)
    SELECT u.id, u.tenant_id, u.token_id, u.action, string_to_array(u.ids, E'\\x1f'), u.address, u.outcome
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[]) AS u (id, tenant_id, token_id, action, ids, address, outcome)`,
};

const readLines = {
  name: 'read_audit_lines',
  text: `
    SELECT a.id, a.token_id, t.name AS token_name, a.action, a.ids, a.address, a.outcome
    FROM audit_line a LEFT JOIN token t ON t.id = a.token_id
    WHERE a.tenant_id = $1 AND ($2::uuid IS NULL OR a.id < $2) AND ($3::uuid IS NULL OR a.id >= $3) AND ($4::uuid IS NULL OR a.token_id = $4)
      AND ($5::text IS NULL OR strpos(a.action, $5) > 0) AND ($6::text IS NULL OR a.ids @> ARRAY[$6])
    ORDER BY a.id DESC LIMIT $7`,
};

interface AuditSqlRow {
  id: string;
  token_id: string | null;
  token_name: string | null;
  action: string;
  ids: string[];
  address: string;
  outcome: string;
}

export interface AuditQuery {
  tenantId: TenantId;
  beforeId: string | null;
  sinceId: string | null;
  tokenId: string | null;
  /** Part of the action's name. */
  action: string | null;
  /** Of something that was made or changed. */
  subject: string | null;
  limit: number;
}

type NewLine = AuditLine & { id: string };

/** For lines of starts, which would otherwise cost each frame of triggers a transaction of its own. */
const gatherMs = 100;

/** Who changed what and when, apart from the commit lane and from all other tables. */
export class AuditLog {
  readonly #pool: Pool;
  readonly #buffer: RowBuffer<NewLine>;

  /** @param pools `writes` stores, `reads` lists */
  constructor({ reads, writes }: { reads: Pool; writes: Pool }) {
    this.#pool = reads;
    this.#buffer = new RowBuffer<NewLine>({
      what: 'audit lines',
      batchRows: 1000,
      mostRows: 100_000,
      mostWeight: 64 * 1024 * 1024,
      weightOf: ({ ids, action, address }) => ids.length * 40 + action.length + address.length,
      gatherMs,
      store: async (lines) => {
        await writes.query({
          ...insertLines,
          values: [
            lines.map((line) => line.id),
            lines.map((line) => line.tenantId),
            lines.map((line) => line.tokenId),
            lines.map((line) => line.action),
            // A list of lists of different lengths is no array to Postgres.
            lines.map((line) => line.ids.join('\x1f')),
            lines.map((line) => line.address),
            lines.map((line) => line.outcome),
          ],
        });
      },
    });
  }

  /** Resolves once the line is stored. */
  write(line: AuditLine): Promise<void> {
    return this.#buffer.write({ ...line, id: newId() });
  }

  /** As `write`; the line may wait for others for a moment, which a kill of the engine in it loses. */
  writeLater(line: AuditLine): Promise<void> {
    return this.#buffer.writeLater({ ...line, id: newId() });
  }

  /** Newest first. */
  async list(query: AuditQuery): Promise<StoredAuditLine[]> {
    const { tenantId, beforeId, sinceId, tokenId, action, subject, limit } = query;
    const { rows } = await this.#pool.query<AuditSqlRow>({
      ...readLines,
      values: [tenantId, beforeId, sinceId, tokenId, action, subject, limit],
    });
    return rows.map((row) => ({
      id: row.id,
      atMs: uuidTimeMs(row.id),
      tenantId,
      tokenId: row.token_id,
      tokenName: row.token_name,
      action: row.action,
      ids: row.ids,
      address: row.address,
      outcome: row.outcome,
    }));
  }

  /** Writes what is left. */
  stop(): Promise<void> {
    return this.#buffer.stop();
  }
}
