import type { Sql } from '../../postgres/sql-client.ts';
import { isRunStatus, isTerminal } from '../../model/task/status.ts';
import type { StoredEnd } from '../../plan/commands/loaded-facts.ts';
import type { Asking } from './command-needs.ts';
import { newestEndOf } from '../../postgres/rows-of-a-run.ts';

/** Runs that exist, and how the newest generation of those that have ended did. */
export const readEnds = {
  name: 'run_ends',
  text: `
    SELECT r.id, e.status, e.generation
    FROM unnest($1::uuid[]) AS u (id)
    JOIN run r ON r.id = u.id
    LEFT JOIN LATERAL ${newestEndOf('r.id')} e ON true`,
};

export interface StoredEnds {
  /** Those of the runs that exist. */
  ids: Set<string>;
  /** By run, of those that have ended. */
  ends: Map<string, StoredEnd>;
}

/** Which of the runs exist that commands ask about, and how they ended. */
export async function loadEnds(client: Sql, asking: readonly Asking[]): Promise<StoredEnds> {
  const found: StoredEnds = { ids: new Set(), ends: new Map() };
  const ids = asking.flatMap(({ needs }) => needs.endsOf ?? []);
  if (ids.length === 0) return found;
  const { rows } = await client.query<{ id: string; status: number | null; generation: number | null }>({
    ...readEnds,
    values: [ids],
  });
  for (const { id, status, generation } of rows) {
    found.ids.add(id);
    if (status !== null && isRunStatus(status) && isTerminal(status))
      found.ends.set(id, { status, generation: generation ?? 1 });
  }
  return found;
}
