import type { EventRow } from '../run-reader.ts';
import { isTerminal, type RunStatusName } from '../../status-name.ts';
import type { RunShape, TaskShape } from './rest-shapes.ts';
import { statusOf } from './run-rows.ts';
import { failureOf, nameOf, timeOf } from './stored-values.ts';

/** What was known of a run when it was last looked at. */
export interface SeenRun {
  createdAt: string;
  status: RunStatusName;
  startedAt: string | null;
  /** The tasks of a DAG, or the one task under the run's own id. */
  tasks: ReadonlyMap<string, { status: RunStatusName; startedAt: string | null; attempt: number }>;
}

/** As the run is now. */
export function seenRun(run: RunShape): SeenRun {
  return {
    createdAt: timeOf(run.metadata.createdAt) ?? '',
    status: statusOf(run),
    startedAt: timeOf(run.startedAt),
    tasks: new Map(
      tasksOf(run).map((task) => [
        task.taskExternalId,
        { status: statusOf(task), startedAt: timeOf(task.startedAt), attempt: task.retryCount ?? 0 },
      ]),
    ),
  };
}

/** As the run was at a time: what came later is left out. Undefined where it was not there yet. */
export function seenRunAt(run: RunShape, at: string): SeenRun | undefined {
  const createdAt = timeOf(run.metadata.createdAt) ?? '';
  if (createdAt > at) return undefined;
  const tasks = tasksOf(run).flatMap((task) =>
    (timeOf(task.metadata.createdAt) ?? '') > at
      ? []
      : [[task.taskExternalId, { ...before(task, at), attempt: task.retryCount ?? 0 }] as const],
  );
  return { createdAt, ...before(run, at), tasks: new Map(tasks) };
}

function before(task: TaskShape, at: string): { status: RunStatusName; startedAt: string | null } {
  const startedAt = timeOf(task.startedAt);
  const finishedAt = timeOf(task.finishedAt);
  const hadStarted = startedAt !== null && startedAt <= at;
  if (!hadStarted) return { status: 'QUEUED', startedAt: null };
  return { status: finishedAt !== null && finishedAt > at ? 'RUNNING' : statusOf(task), startedAt };
}

/** A run of one task is listed as that task. */
function tasksOf(run: RunShape): readonly TaskShape[] {
  const { children = [] } = run;
  return children.length === 0 ? [run] : children;
}

/** What has become of a run since, as transitions: those that fell between two looks are left out. */
export function changesOf(run: RunShape, seen: SeenRun | undefined, nowIso: string): EventRow[] {
  const workflow = run.workflowName ?? nameOf(run.displayName);
  const runId = run.workflowRunExternalId;
  const base = { cursor: '', runId, workflow, message: '', workerId: null };
  const events: EventRow[] = [];
  const status = statusOf(run);
  if (seen === undefined)
    events.push({
      ...base,
      time: timeOf(run.metadata.createdAt),
      taskId: '',
      task: '',
      attempt: 0,
      type: 'RUN_CREATED',
      status: 'QUEUED',
    });
  const isOneTask = (run.children ?? []).length === 0;
  for (const task of tasksOf(run)) {
    const name = isOneTask ? workflow : nameOf(task.displayName);
    const ofTask = { ...base, taskId: task.taskExternalId, task: name, attempt: task.retryCount ?? 0 };
    events.push(...taskChanges(task, seen?.tasks.get(task.taskExternalId), { ofTask, nowIso }));
  }
  if (isTerminal(status) && (seen === undefined || seen.status !== status))
    events.push({
      ...base,
      time: timeOf(run.finishedAt),
      taskId: '',
      task: '',
      attempt: 0,
      type: 'RUN_FINISHED',
      status,
    });
  return events;
}

function taskChanges(
  task: TaskShape,
  seen: { status: RunStatusName; startedAt: string | null; attempt: number } | undefined,
  { ofTask, nowIso }: { ofTask: Omit<EventRow, 'time' | 'type' | 'status'>; nowIso: string },
): EventRow[] {
  const status = statusOf(task);
  const startedAt = timeOf(task.startedAt);
  const events: EventRow[] = [];
  const wasEnded = seen !== undefined && isTerminal(seen.status);
  if (seen === undefined)
    events.push({ ...ofTask, time: timeOf(task.metadata.createdAt), type: 'QUEUED', status: 'QUEUED' });
  else if (wasEnded && (!isTerminal(status) || startedAt !== seen.startedAt))
    events.push({ ...ofTask, time: startedAt ?? nowIso, type: 'RETRIED_BY_USER', status: 'QUEUED' });
  else if (ofTask.attempt > seen.attempt)
    events.push({ ...ofTask, time: startedAt ?? nowIso, type: 'RETRYING', status: 'QUEUED' });
  if (startedAt !== null && startedAt !== seen?.startedAt)
    events.push({ ...ofTask, time: startedAt, type: 'STARTED', status: 'RUNNING' });
  if (status === 'EVICTED' && seen?.status !== 'EVICTED')
    events.push({ ...ofTask, time: nowIso, type: 'DURABLE_EVICTED', status });
  if (seen?.status === 'EVICTED' && status !== 'EVICTED' && !isTerminal(status))
    events.push({ ...ofTask, time: nowIso, type: 'DURABLE_RESTORING', status: 'QUEUED' });
  const hasJustEnded = isTerminal(status) && (!wasEnded || startedAt !== seen.startedAt);
  if (hasJustEnded) {
    const type = status === 'COMPLETED' ? 'FINISHED' : status;
    events.push({
      ...ofTask,
      time: timeOf(task.finishedAt) ?? nowIso,
      type,
      status,
      message: failureOf(task.errorMessage).message ?? '',
    });
  }
  return events;
}
