import type { Pool } from 'pg';
import { HatchetError } from '../errors.ts';

export interface NewChunk {
  tenantId: string;
  runId: string;
  taskId: string;
  attempt: number;
  /** From 0, by the task. */
  number: number;
  chunk: Uint8Array;
}

/** Chunks a statement, and bytes that may wait: past that, callers are told to slow down. */
const batchChunks = 1000;
const waitingBytes = 64 * 1024 * 1024;

const insertChunks = {
  name: 'insert_stream_chunks',
  text: `
    INSERT INTO stream_chunk (run_id, task_id, attempt, number, tenant_id, chunk)
    SELECT u.run_id, u.task_id, u.attempt, u.number, u.tenant_id, u.chunk
    FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::bigint[], $5::uuid[], $6::bytea[]) AS u (run_id, task_id, attempt, number, tenant_id, chunk)
    ORDER BY u.task_id, u.attempt, u.number
    ON CONFLICT DO NOTHING`,
};

interface Waiting {
  chunk: NewChunk;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** Stream chunks, apart from the commit lane: what gathers while one insert runs is the next. Answers after the commit. */
export class StreamWriter {
  readonly #pool: Pool;
  readonly #onWritten: (taskIds: ReadonlySet<string>) => void;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #writing: Promise<void> | undefined;

  constructor(pool: Pool, onWritten: (taskIds: ReadonlySet<string>) => void) {
    this.#pool = pool;
    this.#onWritten = onWritten;
  }

  write(chunk: NewChunk): Promise<void> {
    if (this.#bytes > waitingBytes) return Promise.reject(new HatchetError('COMMAND_FAILED', `${waitingBytes} bytes of streams wait already`, { remedy: 'Stream less, or less often.' }));
    this.#bytes += chunk.chunk.byteLength;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ chunk, resolve, reject });
      this.#writing ??= this.#drain();
    });
  }

  /** Writes what is left. */
  async stop(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, batchChunks);
      const chunks = batch.map(({ chunk }) => chunk);
      try {
        await this.#pool.query({
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
        this.#onWritten(new Set(chunks.map((each) => each.taskId)));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        const failure = new HatchetError('COMMAND_FAILED', 'stream chunks could not be stored', { cause: error, remedy: 'Check that Postgres is reachable.' });
        for (const { reject } of batch) reject(failure);
      } finally {
        for (const { chunk } of chunks) this.#bytes -= chunk.byteLength;
      }
    }
    this.#writing = undefined;
  }
}
