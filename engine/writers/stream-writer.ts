import type { Pool } from 'pg';
import { RowBuffer } from '../postgres/row-buffer.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

export interface NewChunk {
  tenantId: TenantId;
  runId: string;
  taskId: string;
  attempt: number;
  /** From 0, by the task. */
  number: number;
  chunk: Uint8Array;
}

const insertChunks = {
  name: 'insert_stream_chunks',
  text: `
    INSERT INTO stream_chunk (run_id, task_id, attempt, number, tenant_id, chunk)
    SELECT u.run_id, u.task_id, u.attempt, u.number, u.tenant_id, u.chunk
    FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::bigint[], $5::uuid[], $6::bytea[]) AS u (run_id, task_id, attempt, number, tenant_id, chunk)
    ORDER BY u.task_id, u.attempt, u.number
    ON CONFLICT DO NOTHING`,
};

/** Stream chunks, apart from the commit lane. */
export class StreamWriter {
  readonly #buffer: RowBuffer<NewChunk>;

  constructor(pool: Pool, onWritten: (taskIds: ReadonlySet<string>) => void) {
    this.#buffer = new RowBuffer<NewChunk>({
      what: 'stream chunks',
      batchRows: 1000,
      mostRows: 100_000,
      mostWeight: 64 * 1024 * 1024,
      weightOf: ({ chunk }) => chunk.byteLength,
      store: async (chunks) => {
        await pool.query({
          ...insertChunks,
          values: [
            chunks.map((each) => each.runId),
            chunks.map((each) => each.taskId),
            chunks.map((each) => each.attempt),
            chunks.map((each) => each.number),
            chunks.map((each) => each.tenantId),
            chunks.map((each) => Buffer.from(each.chunk)),
          ],
        });
        onWritten(new Set(chunks.map((each) => each.taskId)));
      },
    });
  }

  /** Answers after the commit. @throws HatchetError BUSY, COMMAND_FAILED */
  write(chunk: NewChunk): Promise<void> {
    return this.#buffer.write(chunk);
  }

  /** Writes what is left. */
  stop(): Promise<void> {
    return this.#buffer.stop();
  }
}
