import type { Sql } from '../../postgres/sql-client.ts';
import type { Logger } from '../../base/log.ts';

/** Of these a recovery says each one in the log; of more than these the number. */
const mostLines = 100;

/** A stored row that cannot be understood, and why. It stays as it is; its shard goes on without it. */
export interface SetAsideRow {
  kind: 'task' | 'workflow version' | 'worker' | 'cron' | 'schedule' | 'filter' | 'rate limit';
  id: string;
  reason: string;
}

/**
 * Collects what a recovery cannot read. A task goes with its whole run, since its siblings' ends would else pass it by: a run
 * of which a later row is found unreadable is left out by the next pass over the shard.
 */
export class SetAside {
  readonly #rows = new Map<string, SetAsideRow>();
  readonly #runs = new Set<string>();

  get rows(): SetAsideRow[] {
    return [...this.#rows.values()];
  }

  /** How many runs are left out. */
  get runs(): number {
    return this.#runs.size;
  }

  hasRun(runId: string): boolean {
    return this.#runs.has(runId);
  }

  /** Reads a row that stands for itself. What it throws sets the row aside. */
  try(kind: Exclude<SetAsideRow['kind'], 'task'>, id: string, read: () => void): void {
    try {
      read();
    } catch (error) {
      this.#note({ kind, id, reason: reasonOf(error) });
    }
  }

  /** Reads something of a task. What it throws sets its run aside. */
  tryTask(task: { taskId: string; runId: string }, read: () => void): void {
    try {
      read();
    } catch (error) {
      this.failTask(task.taskId, task.runId, error);
    }
  }

  /** As `tryTask`, for loops over a million tasks, which make neither a function nor an id for each. */
  failTask(taskId: string, runId: string, error: unknown): void {
    this.#runs.add(runId);
    this.#note({ kind: 'task', id: taskId, reason: reasonOf(error) });
  }

  #note(row: SetAsideRow): void {
    const key = `${row.kind} ${row.id}`;
    if (!this.#rows.has(key)) this.#rows.set(key, row);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export const replaceRows = {
  text: `
    WITH found AS (SELECT * FROM unnest($2::text[], $3::text[], $4::text[]) AS u (kind, id, reason)),
    back AS (DELETE FROM set_aside s WHERE s.shard = $1 AND NOT EXISTS (SELECT FROM found f WHERE f.kind = s.kind AND f.id = s.id))
    INSERT INTO set_aside (shard, kind, id, reason) SELECT $1, kind, id, reason FROM found
    ON CONFLICT (shard, kind, id) DO UPDATE SET reason = excluded.reason`,
};

export const deleteRows = { text: `DELETE FROM set_aside WHERE shard = ANY ($1::smallint[])` };

/** Keeps for `hatchet doctor` what is set aside, and says each in the log once a process. */
export class SetAsideLog {
  readonly #log: Logger;
  readonly #said = new Map<number, Set<string>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @param rows all that this recovery of the shard could not read: those of an earlier one that are not among them are back */
  async store(client: Sql, shard: number, rows: readonly SetAsideRow[]): Promise<void> {
    await client.query(replaceRows.text, [
      shard,
      rows.map((row) => row.kind),
      rows.map((row) => row.id),
      rows.map((row) => row.reason),
    ]);
    this.#say(shard, rows);
  }

  /** These shards hold nothing. */
  async storeNone(client: Sql, shards: readonly number[]): Promise<void> {
    if (shards.length === 0) return;
    await client.query(deleteRows.text, [shards]);
    for (const shard of shards) this.#said.delete(shard);
  }

  #say(shard: number, rows: readonly SetAsideRow[]): void {
    const said = this.#said.get(shard) ?? new Set<string>();
    const keyOf = (row: SetAsideRow): string => `${row.kind} ${row.id}`;
    const fresh = rows.filter((row) => !said.has(keyOf(row)));
    for (const { kind, id, reason } of fresh.slice(0, mostLines))
      this.#log.error(
        { code: 'SET_ASIDE', shard, kind, id, reason },
        `a ${kind} cannot be read and is set aside; the rest of its shard goes on`,
      );
    if (fresh.length > mostLines)
      this.#log.error(
        { code: 'SET_ASIDE', shard, rows: fresh.length },
        'more rows cannot be read and are set aside; `hatchet doctor` names them',
      );
    this.#said.set(shard, new Set(rows.map(keyOf)));
  }
}
