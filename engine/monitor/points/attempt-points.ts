import type { TenantId } from '../../model/ids/tenant-id.ts';
import { uuidFloor } from '../../model/ids/uuid-floor.ts';
import { journalLetters } from '../../model/task/journal-letters.ts';
import type { Reader } from '../read-snapshot.ts';
import type { Window } from './window.ts';

export interface AttemptCounts {
  completed: number;
  failed: number;
}

/** A task's id is dated by whoever took the call, whose clock may be ahead of the journal's by so much. */
const clocksApartMs = 60_000;

const completed = journalLetters(['FINISHED']);
const failed = journalLetters(['FAILED', 'TIMED_OUT']);

/** By the days of the tasks' ids and the journal's index of times: what lies outside of the window is not read. */
const countAttempts = {
  name: 'count_attempts',
  text: `
    SELECT ((h.seq - $4::bigint) / $6::bigint)::integer AS place,
      (count(*) FILTER (WHERE h.kinds ~ '[${completed}]'))::integer AS completed,
      (count(*) FILTER (WHERE h.kinds ~ '[${failed}]'))::integer AS failed
    FROM history h
    WHERE h.tenant_id = $1 AND h.task_id >= $2 AND h.task_id < $3 AND h.seq >= $4::bigint AND h.seq < $5::bigint
      AND h.kinds ~ '[${completed}${failed}]'
    GROUP BY 1`,
};

/** How many attempts of tasks that were made in a window completed and failed in it, by point. A failed one that was tried again counts too. */
export async function countAttemptPoints(
  reader: Reader,
  tenantId: TenantId,
  { fromMs, untilMs, widthMs }: Window,
): Promise<Map<number, AttemptCounts>> {
  const { rows } = await reader.query<AttemptCounts & { place: number }>({
    ...countAttempts,
    values: [
      tenantId,
      uuidFloor(fromMs),
      uuidFloor(untilMs + clocksApartMs),
      fromMs * 1000,
      untilMs * 1000,
      widthMs * 1000,
    ],
  });
  return new Map(rows.map((row) => [row.place, { completed: row.completed, failed: row.failed }]));
}
