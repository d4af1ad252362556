import type { Pool } from 'pg';
import type { HatchetError } from '../base/errors.ts';
import { RowBuffer } from '../postgres/row-buffer.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';
import { taskNamed } from '../postgres/rows-of-a-run.ts';

export interface NewLogLine {
  tenantId: TenantId;
  taskId: string;
  atMs: number;
  attempt: number;
  /** 0 DEBUG … 3 ERROR. */
  level: number;
  message: string;
  /** JSON object. */
  metadata: string;
}

/** The join drops lines for unknown tasks and for another tenant's. */
const insertLines = {
  name: 'insert_log_lines',
  text: `
    INSERT INTO log_line (task_id, tenant_id, at, attempt, level, message, metadata)
    SELECT u.task_id, r.tenant_id, u.at, u.attempt, u.level, u.message, u.metadata
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::integer[], $5::smallint[], $6::text[], $7::text[]) WITH ORDINALITY
      AS u (task_id, tenant_id, at, attempt, level, message, metadata, place)
    JOIN LATERAL ${taskNamed('u.task_id')} t ON true
    JOIN run r ON r.id = t.run_id AND r.tenant_id = u.tenant_id
    ORDER BY u.place`,
};

/** Log lines, apart from the commit lane. */
export class LogWriter {
  readonly #buffer: RowBuffer<NewLogLine>;

  constructor(pool: Pool, onWritten: (taskIds: ReadonlySet<string>) => void) {
    this.#buffer = new RowBuffer<NewLogLine>({
      what: 'log lines',
      batchRows: 1000,
      mostRows: 50_000,
      mostWeight: 64 * 1024 * 1024,
      weightOf: ({ message, metadata }) => message.length + metadata.length,
      store: async (lines) => {
        await pool.query({
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
        onWritten(new Set(lines.map((line) => line.taskId)));
      },
    });
  }

  /** Answers after the commit. @throws HatchetError BUSY, COMMAND_FAILED */
  write(line: NewLogLine): Promise<void> {
    return this.#buffer.write(line);
  }

  /** The same for lines in their order; all of them are taken, or none. */
  writeAll(lines: readonly NewLogLine[]): Promise<void> {
    return this.#buffer.writeAll(lines);
  }

  /** The same, each for itself. @returns by their places, why lines could not be stored @throws HatchetError BUSY */
  writeEach(lines: readonly NewLogLine[]): Promise<ReadonlyMap<number, HatchetError>> {
    return this.#buffer.writeEach(lines);
  }

  /** Writes what is left. */
  stop(): Promise<void> {
    return this.#buffer.stop();
  }
}
