import type { Pool } from 'pg';
import { HatchetError } from '../errors.ts';

export interface NewLogLine {
  tenantId: string;
  taskId: string;
  atMs: number;
  attempt: number;
  /** 0 DEBUG … 3 ERROR. */
  level: number;
  message: string;
  /** JSON object. */
  metadata: string;
}

/** Lines a statement; lines that may wait, and their characters: past that, callers are told to slow down. */
const batchLines = 1000;
const waitingLines = 50_000;
const waitingChars = 64 * 1024 * 1024;

/** The join drops lines for unknown tasks and for another tenant's. */
const insertLines = {
  name: 'insert_log_lines',
  text: `
    INSERT INTO log_line (task_id, tenant_id, at, attempt, level, message, metadata)
    SELECT u.task_id, r.tenant_id, u.at, u.attempt, u.level, u.message, u.metadata
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::integer[], $5::smallint[], $6::text[], $7::text[]) WITH ORDINALITY
      AS u (task_id, tenant_id, at, attempt, level, message, metadata, place)
    JOIN task t ON t.id = u.task_id
    JOIN run r ON r.id = t.run_id AND r.tenant_id = u.tenant_id
    ORDER BY u.place`,
};

interface Waiting {
  line: NewLogLine;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** Log lines, apart from the commit lane: what gathers while one insert runs is the next. Answers after the commit. */
export class LogWriter {
  readonly #pool: Pool;
  readonly #onWritten: (taskIds: ReadonlySet<string>) => void;
  #waiting: Waiting[] = [];
  /** Of the lines that wait, or are being written. */
  #chars = 0;
  #writing: Promise<void> | undefined;

  constructor(pool: Pool, onWritten: (taskIds: ReadonlySet<string>) => void) {
    this.#pool = pool;
    this.#onWritten = onWritten;
  }

  write(line: NewLogLine): Promise<void> {
    if (this.#waiting.length >= waitingLines || this.#chars > waitingChars) return Promise.reject(new HatchetError('COMMAND_FAILED', `${this.#waiting.length} log lines of ${this.#chars} characters wait already`, { remedy: 'Log less, or less often.' }));
    this.#chars += charsOf(line);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, resolve, reject });
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
      const batch = this.#waiting.splice(0, batchLines);
      const lines = batch.map(({ line }) => line);
      try {
        await this.#pool.query({
          ...insertLines,
          values: [
            lines.map((line) => line.taskId),
            lines.map((line) => line.tenantId),
            lines.map((line) => new Date(line.atMs)),
            lines.map((line) => line.attempt),
            lines.map((line) => line.level),
            lines.map((line) => line.message),
            lines.map((line) => line.metadata),
          ],
        });
        this.#onWritten(new Set(lines.map((line) => line.taskId)));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        const failure = new HatchetError('COMMAND_FAILED', 'log lines could not be stored', { cause: error, remedy: 'Check that Postgres is reachable.' });
        for (const { reject } of batch) reject(failure);
      } finally {
        for (const line of lines) this.#chars -= charsOf(line);
      }
    }
    this.#writing = undefined;
  }
}

function charsOf({ message, metadata }: NewLogLine): number {
  return message.length + metadata.length;
}
