import type { Pool } from 'pg';

export interface StoredChunk {
  id: string;
  taskId: string;
  attempt: number;
  number: string;
  chunk: Buffer;
}

const chunksAfter = {
  name: 'stream_chunks',
  text: `
    SELECT id, task_id AS "taskId", attempt, number, chunk FROM stream_chunk
    WHERE run_id = $1 AND tenant_id = $2 AND id > $3
    ORDER BY id LIMIT $4`,
};

/** In the order in which they came. */
export async function readChunks(pool: Pool, query: { tenantId: string; runId: string; afterId: string; limit: number }): Promise<StoredChunk[]> {
  const { rows } = await pool.query<StoredChunk>({ ...chunksAfter, values: [query.runId, query.tenantId, query.afterId, query.limit] });
  return rows;
}
