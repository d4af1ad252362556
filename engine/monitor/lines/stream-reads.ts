import type { Pool } from 'pg';
import { cutOf, cutPage, type Cut, type CutRow } from '../budget/within-bytes.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export interface StoredChunk {
  id: string;
  taskId: string;
  attempt: number;
  number: string;
  chunk: Buffer;
}

const chunkRows = `
  SELECT id, task_id AS "taskId", attempt, number, chunk, octet_length(chunk) AS bytes FROM stream_chunk
  WHERE run_id = $1 AND tenant_id = $2 AND id > $3
  ORDER BY id LIMIT $4`;
const chunksAfter = {
  name: 'stream_chunks',
  text: cutPage({
    rows: chunkRows,
    columns: ['id', '"taskId"', 'attempt', 'number', 'chunk'],
    order: 'id',
    budget: '$5',
  }),
};

/** In the order in which they came. A page ends before it is larger than so many bytes. */
export async function readChunks(
  pool: Pool,
  query: { tenantId: TenantId; runId: string; afterId: string; limit: number; bytes: number },
): Promise<Cut & { chunks: StoredChunk[] }> {
  const { rows } = await pool.query<StoredChunk & CutRow>({
    ...chunksAfter,
    values: [query.runId, query.tenantId, query.afterId, query.limit, query.bytes],
  });
  return { chunks: rows, ...cutOf(rows, query.limit) };
}
