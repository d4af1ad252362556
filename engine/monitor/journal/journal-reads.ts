import type { Pool } from 'pg';
import { readJournalLetters } from '../../model/task/journal-letters.ts';
import { eventTypeOf, isRunTransition, statusAfter, type Transition } from '../../model/task/transition.ts';
import type { HistoryRow } from '../../model/stored-rows.ts';
import type { RunStatus } from '../../model/task/status.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import { journalFrom, journalOf, queuedSince, tasksOf } from '../../postgres/rows-of-a-run.ts';

/** One transition, named and placed. */
export interface JournalEvent {
  /** Sorts as text in the order of events; a reader resumes after it. */
  cursor: string;
  timeUs: number;
  runId: string;
  workflowName: string;
  taskId: string;
  stepName: string;
  attempt: number;
  transition: Transition;
  type: string;
  status: RunStatus | undefined;
  message: string;
  workerId: string | null;
  ofRun: boolean;
}

/** `<seq>-<place in the row>`: both padded, so that text order is event order. */
export function formatCursor(seq: number, place: number): string {
  return `${String(seq).padStart(17, '0')}-${String(place).padStart(2, '0')}`;
}

export function parseCursor(text: string): { seq: number; place: number } | undefined {
  const match = /^(\d{17})-(\d{2})$/.exec(text);
  return match === null ? undefined : { seq: Number(match[1]), place: Number(match[2]) };
}

export function rowEvents(row: HistoryRow): JournalEvent[] {
  const events: JournalEvent[] = [];
  for (const [place, transition] of row.transitions.entries()) {
    events.push({
      cursor: formatCursor(row.seq, place),
      timeUs: row.seq,
      runId: row.runId,
      workflowName: row.workflowName,
      taskId: row.taskId,
      stepName: row.stepName,
      attempt: row.attempt,
      transition,
      type: eventTypeOf(transition),
      status: statusAfter(transition),
      // A row's message belongs to its first transition.
      message: place === 0 ? (row.message ?? '') : '',
      workerId: row.workerId,
      ofRun: isRunTransition(transition),
    });
  }
  return events;
}

interface JournalSqlRow {
  task_id: string;
  seq: string;
  tenant_id: TenantId;
  attempt: number;
  kinds: string;
  worker_id: string | null;
  message: string | null;
  run_id: string;
  step_name: string;
  workflow_name: string;
}

function historyRow(row: JournalSqlRow): HistoryRow {
  return {
    taskId: row.task_id,
    seq: Number(row.seq),
    tenantId: row.tenant_id,
    attempt: row.attempt,
    transitions: readJournalLetters(row.kinds),
    workerId: row.worker_id,
    message: row.message,
    runId: row.run_id,
    stepName: row.step_name,
    workflowName: row.workflow_name,
  };
}

const afterCursor = {
  name: 'journal_after',
  text: `
    SELECT h.task_id, h.seq, h.tenant_id, h.attempt, h.kinds, h.worker_id, h.message, r.id AS run_id,
      v.definition -> 'steps' -> coalesce(t.step::integer, 0) ->> 'name' AS step_name, v.definition ->> 'name' AS workflow_name
    FROM ${journalFrom({ tenantId: '$1', seq: '$2', firstId: '$4', limit: '$3' })} h
    LEFT JOIN task t ON t.id = h.task_id
    JOIN run r ON r.id = coalesce(t.run_id, h.task_id)
    JOIN workflow_version v ON v.id = r.version_id
    ORDER BY h.seq`,
};

/** A tenant's journal from a row on, in order. */
export async function readJournalFrom(
  pool: Pool,
  tenantId: TenantId,
  seq: number,
  limit: number,
): Promise<HistoryRow[]> {
  const { rows } = await pool.query<JournalSqlRow>({
    ...afterCursor,
    values: [tenantId, seq, limit, queuedSince(seq)],
  });
  return rows.map(historyRow);
}

const ofRun = {
  name: 'journal_of_run',
  text: `
    SELECT h.task_id, h.seq, h.tenant_id, h.attempt, h.kinds, h.worker_id, h.message, t.run_id,
      v.definition -> 'steps' -> t.step::integer ->> 'name' AS step_name, v.definition ->> 'name' AS workflow_name
    FROM run r
    CROSS JOIN LATERAL ${tasksOf('r')} t
    JOIN workflow_version v ON v.id = r.version_id
    CROSS JOIN LATERAL ${journalOf('t.id')} h
    WHERE r.id = $2 AND h.tenant_id = $1 AND h.seq >= $3
    ORDER BY h.seq LIMIT $4`,
};

export async function readRunJournal(
  pool: Pool,
  tenantId: TenantId,
  runId: string,
  seq: number,
  limit: number,
): Promise<HistoryRow[]> {
  const { rows } = await pool.query<JournalSqlRow>({ ...ofRun, values: [tenantId, runId, seq, limit] });
  return rows.map(historyRow);
}
