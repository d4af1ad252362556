import type { RunStatus } from '../../model/task/status.ts';
import type { Reader } from '../read-snapshot.ts';
import { areUnfinished, liveTaskIsOpen, openTaskStatus, taskIsToCome } from './open-status.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import { liveOf, runsOf, tasksOf, wasAssigned } from '../../postgres/rows-of-a-run.ts';

export interface TaskListFilter {
  tenantId: TenantId;
  /** Of the tasks; empty for every status. */
  statuses: readonly RunStatus[];
  workflowIds: readonly string[];
  /** Bounds as UUIDs, of the run. */
  sinceId: string | null;
  untilId: string | null;
  /** JSON object that the run's metadata must contain. */
  metadata: string | null;
  parentTaskId: string | null;
  /** Only tasks that were assigned to it at any time. */
  workerId: string | null;
  /** Only tasks of runs that it has started. */
  eventId: string | null;
  limit: number;
  offset: number;
}

/** Tasks that exist, as Hatchet has it. The status of a task as in run details: its newest result, else where its live row says it is. */
const text = (source: string): string => `
    SELECT t.id, t.run_id
    FROM ${source}
    JOIN LATERAL ${tasksOf('r')} t ON true
    LEFT JOIN LATERAL ${liveOf('t.id')} l ON true
    LEFT JOIN LATERAL (
      SELECT x.status FROM result x WHERE x.task_id = t.id AND x.generation >= coalesce(l.generation, 1) ORDER BY x.generation DESC LIMIT 1
    ) x ON true
    WHERE r.tenant_id = $1
      AND NOT ${taskIsToCome}
      AND ($2::integer[] IS NULL OR coalesce(x.status, ${openTaskStatus}) = ANY ($2))
      AND ($3::uuid[] IS NULL OR r.workflow_id = ANY ($3))
      AND r.id >= coalesce($4::uuid, '00000000-0000-0000-0000-000000000000')
      AND r.id < coalesce($5::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
      AND ($6::jsonb IS NULL OR r.metadata @> $6)
      AND ($7::uuid IS NULL OR r.parent_task_id = $7)
      AND ($8::uuid IS NULL OR ${wasAssigned('t.id', '$8')})
    ORDER BY r.id DESC, t.step LIMIT $9 OFFSET $10`;

const listTasks = { name: 'list_tasks', text: text('(SELECT * FROM run WHERE $11::uuid IS NULL) r') };
/** By `live`, which has all tasks that have not ended: those that are asked for may be few, and all others newer. */
const listUnfinishedTasks = {
  name: 'list_unfinished_tasks',
  text: text(
    `${runsOf(`
      SELECT l.run_id AS id FROM live l
      WHERE l.tenant_id = $1 AND ${liveTaskIsOpen} AND ${openTaskStatus} = ANY ($2::integer[]) AND $11::uuid IS NULL
      GROUP BY l.run_id
      ORDER BY l.run_id DESC
    `)} r`,
  ),
};
const listEventTasks = {
  name: 'list_event_tasks',
  text: text(`${runsOf('SELECT v.run_id AS id FROM event_run v WHERE v.event_id = $11 ORDER BY v.run_id DESC')} r`),
};

function statementFor({ eventId, statuses }: TaskListFilter): { name: string; text: string } {
  if (eventId !== null) return listEventTasks;
  return areUnfinished(statuses) ? listUnfinishedTasks : listTasks;
}

/** Tasks of the newest runs first, as references: details are read together afterwards. */
export async function listTaskRefs(
  reader: Reader,
  filter: TaskListFilter,
): Promise<{ taskId: string; runId: string }[]> {
  const { rows } = await reader.query<{ id: string; run_id: string }>({
    ...statementFor(filter),
    values: [
      filter.tenantId,
      filter.statuses.length === 0 ? null : filter.statuses,
      filter.workflowIds.length === 0 ? null : filter.workflowIds,
      filter.sinceId,
      filter.untilId,
      filter.metadata,
      filter.parentTaskId,
      filter.workerId,
      filter.limit,
      filter.offset,
      filter.eventId,
    ],
  });
  return rows.map((row) => ({ taskId: row.id, runId: row.run_id }));
}
