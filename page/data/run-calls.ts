import { queryFilter, type RunQuery } from '../../cli/monitor/run-query.ts';
import type { RunDetail, RunFilter, RunRow } from '../../cli/monitor/run-reader.ts';
import type { EngineCalls, StreamReader } from './engine-calls.ts';
import { list, optional } from './fields.ts';
import { eventPage, runDetail, runRow, type EventPage } from './run-messages.ts';

export interface RunPage {
  rows: readonly RunRow[];
  next: string | null;
}

export function listRuns(
  calls: EngineCalls,
  query: RunQuery,
  options: RunFilter,
  signal?: AbortSignal,
): Promise<RunPage> {
  return listFiltered(calls, { ...queryFilter(query), ...options }, signal);
}

export async function listFiltered(calls: EngineCalls, filter: RunFilter, signal?: AbortSignal): Promise<RunPage> {
  const request = {
    statuses: (filter.statuses ?? []).map((status) => `RUN_STATUS_${status}`),
    workflowNames: filter.workflows ?? [],
    since: filter.since,
    until: filter.until,
    metadata: { ...filter.metadata, ...(filter.eventId === undefined ? {} : { hatchet__event_id: filter.eventId }) },
    limit: filter.limit,
    pageToken: filter.page,
    search: filter.search,
    parentId: filter.parent,
  };
  const answer = await calls.monitor('ListRuns', request, signal);
  return { rows: list(answer, 'rows', runRow), next: optional(answer, 'next') };
}

export async function getRun(calls: EngineCalls, runId: string, signal?: AbortSignal): Promise<RunDetail> {
  return runDetail(await calls.monitor('GetRun', { runId }, signal));
}

/** With one task's output, which may have been too large to come with the others. */
export async function getWholeTask(calls: EngineCalls, runId: string, taskId: string): Promise<RunDetail> {
  return runDetail(await calls.monitor('GetRun', { runId, onlyTask: taskId }));
}

/** Every transition from a cursor on: of one run, or of all. */
export async function* streamEvents(
  calls: EngineCalls,
  options: { runId?: string; after?: string | undefined; workflows?: readonly string[] },
  reader: StreamReader,
): AsyncGenerator<EventPage, void, undefined> {
  const request = { runId: options.runId, after: options.after, workflowNames: options.workflows ?? [] };
  for await (const fields of calls.stream('StreamRunEvents', request, reader)) yield eventPage(fields);
}

/** @returns how many are being cancelled */
export async function cancelRuns(calls: EngineCalls, ids: readonly string[]): Promise<number> {
  const answer = await calls.rest('POST /api/v1/stable/tenants/:tenant/tasks/cancel', { body: { externalIds: ids } });
  return answer.ids.length;
}

/** @returns how many tasks run once more */
export async function replayRuns(calls: EngineCalls, ids: readonly string[]): Promise<number> {
  const answer = await calls.rest('POST /api/v1/stable/tenants/:tenant/tasks/replay', { body: { externalIds: ids } });
  return answer.ids.length;
}

export interface NewRun {
  workflow: string;
  input: unknown;
  metadata: unknown;
  /** Undefined for the workflow's own. */
  priority: number | undefined;
}

/** @returns the run's id */
export async function triggerRun(calls: EngineCalls, { workflow, input, metadata, priority }: NewRun): Promise<string> {
  const answer = await calls.rest('POST /api/v1/stable/tenants/:tenant/workflow-runs/trigger', {
    body: {
      workflowName: workflow,
      input,
      ...(metadata === undefined ? {} : { additionalMetadata: metadata }),
      ...(priority === undefined ? {} : { priority }),
    },
  });
  return answer.run.metadata.id;
}
