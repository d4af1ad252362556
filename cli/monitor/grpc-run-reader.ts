import {
  MonitorServiceClient,
  type ExportRunsResponse,
  type GetDurableLogResponse,
  type GetRunResponse,
  type ListQueuesResponse,
  type ListRunsRequest,
  type ListSchedulesResponse,
  type LogLine,
  type RunEvent,
  type RunSummary,
  type StreamOverviewResponse,
  type TaskDetail,
  type WorkerSummary,
  type WorkflowSummary,
} from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { Channel } from '../connection/channel.ts';
import type { Connection } from '../connection/resolve-connection.ts';
import { parseStored } from '../project/json-value.ts';
import { durableLogRow } from './durable-log-message.ts';
import { mergeLog, type DurableLogRow } from './durable-log-row.ts';
import { queueFigures, type QueueFigures } from './queue-rows.ts';
import type {
  EventBatch,
  EventRow,
  LogRow,
  Overview,
  RunDetail,
  RunFilter,
  RunReader,
  RunRow,
  TaskRow,
  WorkerRow,
  WorkflowDetail,
  WorkflowRow,
} from './run-reader.ts';
import { scheduleFigures, type ScheduleFigures } from './schedule-rows.ts';
import { statusName, statusNumber, workerStatusName } from './status-number.ts';

const durablePage = 10_000;
/** Runs of one event that are named. */
const mostOfEvent = 1000;
/** What the engine gives of a log without a limit. */
const logPage = 1000;
/** Nothing that the engine stores is longer. */
const longestOutput = 4 * 1024 * 1024;

/** The monitoring service of our engine. */
export class GrpcRunReader implements RunReader {
  readonly #channel: Channel<MonitorServiceClient>;

  constructor(connection: Connection) {
    this.#channel = new Channel(MonitorServiceClient, connection);
  }

  async listRuns(filter: RunFilter): Promise<{ rows: readonly RunRow[]; next: string | null }> {
    const request = listRequest(filter);
    const response = await this.#channel.call<{ rows: RunSummary[]; next?: string | undefined }>((client, ...rest) =>
      client.listRuns(request, ...rest),
    );
    return { rows: response.rows.map(runRow), next: response.next ?? null };
  }

  async getRun(runId: string): Promise<RunDetail> {
    const get = (onlyTask?: string): Promise<GetRunResponse> =>
      this.#channel.call<GetRunResponse>((client, ...rest) => client.getRun({ runId, onlyTask }, ...rest));
    const detail = runDetail(await get());
    const asked = detail.tasks.find((task) => task.taskId === runId.toLowerCase());
    if (asked?.outputLeftOutBytes === undefined && asked?.errorLeftOutBytes === undefined) return detail;
    // Alone it always fits.
    const whole = runDetail(await get(asked.taskId));
    return {
      ...detail,
      tasks: detail.tasks.map((task) =>
        task === asked ? (whole.tasks.find((each) => each.taskId === asked.taskId) ?? task) : task,
      ),
    };
  }

  whyRun(runId: string): Promise<RunDetail> {
    return this.getRun(runId);
  }

  async runsOfEvent(eventId: string): Promise<readonly RunRow[]> {
    return (await this.listRuns({ eventId, limit: mostOfEvent })).rows;
  }

  async *exportRuns(filter: RunFilter, signal: AbortSignal): AsyncGenerator<RunDetail> {
    const request = { filter: listRequest(filter) };
    for await (const response of this.#channel.stream(
      (client, metadata) => client.exportRuns(request, metadata),
      signal,
    ))
      yield runDetail(response);
  }

  async *streamEvents(
    options: { runId?: string; after?: string; workflows?: readonly string[] },
    signal: AbortSignal,
  ): AsyncGenerator<EventBatch> {
    const request = { runId: options.runId, after: options.after, workflowNames: [...(options.workflows ?? [])] };
    for await (const { events, cursor, live } of this.#channel.stream(
      (client, metadata) => client.streamRunEvents(request, metadata),
      signal,
    )) {
      yield { events: events.map(eventRow), cursor, live };
    }
  }

  async listEvents(
    runId: string,
    options: { after?: string; limit: number },
  ): Promise<{ rows: readonly EventRow[]; next: string | null }> {
    const { events, next } = await this.#channel.call<{ events: RunEvent[]; next?: string | undefined }>(
      (client, ...rest) => client.listRunEvents({ runId, ...options }, ...rest),
    );
    return { rows: events.map(eventRow), next: next ?? null };
  }

  async listLogs(
    id: string,
    options: { limit?: number; levels?: readonly string[]; search?: string; newest?: boolean },
  ): Promise<readonly LogRow[]> {
    const { limit = logPage } = options;
    const rows: LogRow[] = [];
    for (let after: string | undefined; ;) {
      const request = {
        id,
        after,
        limit: options.newest === true ? limit : Math.min(logPage, limit - rows.length),
        levels: [...(options.levels ?? [])],
        search: options.search,
        newest: options.newest,
      };
      const { lines, next } = await this.#channel.call<{ lines: LogLine[]; next?: string | undefined }>(
        (client, ...rest) => client.listLogs(request, ...rest),
      );
      rows.push(...lines.map(logRow));
      if (next === undefined || rows.length >= limit) return rows;
      after = next;
    }
  }

  async *streamLogs(id: string, after: string | undefined, signal: AbortSignal): AsyncGenerator<readonly LogRow[]> {
    for await (const { lines } of this.#channel.stream(
      (client, metadata) => client.streamLogs({ id, after }, metadata),
      signal,
    ))
      yield lines.map(logRow);
  }

  async getDurableLog(id: string): Promise<DurableLogRow> {
    let log: DurableLogRow | undefined;
    let page: string | undefined;
    for (;;) {
      const request = { taskId: id, limit: durablePage, outputChars: longestOutput, pageToken: page };
      const response = await this.#channel.call<GetDurableLogResponse>((client, ...rest) =>
        client.getDurableLog(request, ...rest),
      );
      log = mergeLog(log, durableLogRow(response));
      page = response.next;
      if (page === undefined) return log;
    }
  }

  async *streamDurableLog(id: string, signal: AbortSignal): AsyncGenerator<DurableLogRow> {
    for await (const message of this.#channel.stream(
      (client, metadata) => client.streamDurableLog({ taskId: id, outputChars: undefined }, metadata),
      signal,
    ))
      yield durableLogRow(message);
  }

  async listWorkflows(): Promise<readonly WorkflowRow[]> {
    const { rows } = await this.#channel.call<{ rows: WorkflowSummary[] }>((client, ...rest) =>
      client.listWorkflows({ limit: 1000 }, ...rest),
    );
    return rows.map(workflowRow);
  }

  async getWorkflow(name: string): Promise<WorkflowDetail> {
    const response = await this.#channel.call<{
      workflow?: WorkflowSummary | undefined;
      tasks: {
        name: string;
        parents: string[];
        retries: number;
        executionTimeout: string;
        scheduleTimeout: string;
        durable: boolean;
      }[];
      inputJsonSchema?: string | undefined;
      defaultPriority: number;
    }>((client, ...rest) => client.getWorkflow({ name }, ...rest));
    if (response.workflow === undefined) throw new Error('the engine answered without a workflow');
    return {
      workflow: workflowRow(response.workflow),
      tasks: response.tasks.map(({ name: task, parents, retries, executionTimeout, scheduleTimeout, durable }) => ({
        name: task,
        parents,
        retries,
        executionTimeout,
        scheduleTimeout,
        durable,
      })),
      inputJsonSchema: parseStored(response.inputJsonSchema),
      defaultPriority: response.defaultPriority,
    };
  }

  async listWorkers(options: { all: boolean }): Promise<readonly WorkerRow[]> {
    const { rows } = await this.#channel.call<{ rows: WorkerSummary[] }>((client, ...rest) =>
      client.listWorkers(options, ...rest),
    );
    return rows.map(workerRow);
  }

  async *streamOverview(signal: AbortSignal): AsyncGenerator<Overview> {
    for await (const message of this.#channel.stream((client, metadata) => client.streamOverview({}, metadata), signal))
      yield overview(message);
  }

  async listQueues(): Promise<QueueFigures> {
    return queueFigures(
      await this.#channel.call<ListQueuesResponse>((client, ...rest) => client.listQueues({}, ...rest)),
    );
  }

  async *streamQueues(signal: AbortSignal): AsyncGenerator<QueueFigures> {
    for await (const message of this.#channel.stream((client, metadata) => client.streamQueues({}, metadata), signal))
      yield queueFigures(message);
  }

  async listSchedules(): Promise<ScheduleFigures> {
    return scheduleFigures(
      await this.#channel.call<ListSchedulesResponse>((client, ...rest) => client.listSchedules({}, ...rest)),
    );
  }

  async *streamSchedules(signal: AbortSignal): AsyncGenerator<ScheduleFigures> {
    for await (const message of this.#channel.stream(
      (client, metadata) => client.streamSchedules({}, metadata),
      signal,
    ))
      yield scheduleFigures(message);
  }

  close(): void {
    this.#channel.close();
  }
}

function iso(date: Date | undefined): string | null {
  return date === undefined ? null : date.toISOString();
}

function listRequest(filter: RunFilter): ListRunsRequest {
  return {
    statuses: (filter.statuses ?? []).map(statusNumber),
    workflowNames: [...(filter.workflows ?? [])],
    since: filter.since,
    until: filter.until,
    metadata: { ...filter.metadata, ...(filter.eventId === undefined ? {} : { hatchet__event_id: filter.eventId }) },
    limit: filter.limit,
    pageToken: filter.page,
    search: filter.search,
    parentId: filter.parent,
  };
}

function runDetail(response: GetRunResponse | ExportRunsResponse): RunDetail {
  if (response.run === undefined) throw new Error('the engine answered without a run');
  return {
    run: runRow(response.run),
    input: parseStored(response.input),
    tasks: response.tasks.map(taskRow),
    ...leftOut({ inputLeftOutBytes: response.inputLeftOutBytes }),
  };
}

function runRow(run: RunSummary): RunRow {
  return {
    runId: run.runId,
    workflow: run.workflowName,
    status: statusName(run.status),
    createdAt: iso(run.createdAt),
    startedAt: iso(run.startedAt),
    finishedAt: iso(run.finishedAt),
    priority: run.priority,
    taskCount: run.taskCount,
    parentRunId: run.parentRunId ?? null,
    errorMessage: run.errorMessage ?? null,
    metadata: parseStored(run.additionalMetadata),
    ...leftOut({ metadataLeftOutBytes: run.metadataLeftOutBytes, errorLeftOutBytes: run.errorLeftOutBytes }),
  };
}

/** Only what was left out is named. */
function leftOut<Name extends string>(sizes: Record<Name, number | undefined>): Partial<Record<Name, number>> {
  const named: Partial<Record<Name, number>> = {};
  for (const name in sizes) if (sizes[name] !== undefined) named[name] = sizes[name];
  return named;
}

function taskRow(task: TaskDetail): TaskRow {
  return {
    taskId: task.taskId,
    name: task.name,
    status: statusName(task.status),
    parents: task.parents,
    attempt: task.attempt,
    retries: task.retries,
    workerId: task.workerId ?? null,
    workerName: task.workerName ?? null,
    output: parseStored(task.output),
    ...leftOut({ outputLeftOutBytes: task.outputLeftOutBytes, errorLeftOutBytes: task.errorLeftOutBytes }),
    errorMessage: task.errorMessage ?? null,
    errorStack: task.errorStack ?? null,
    createdAt: iso(task.createdAt),
    queuedAt: iso(task.queuedAt),
    startedAt: iso(task.startedAt),
    finishedAt: iso(task.finishedAt),
    durable: task.durable,
    liveState: task.liveState,
    cause:
      task.cause === undefined
        ? null
        : { code: task.cause.code, text: task.cause.text, until: iso(task.cause.until), ids: task.cause.ids },
  };
}

function eventRow(event: RunEvent): EventRow {
  return {
    cursor: event.cursor,
    time: iso(event.time),
    runId: event.runId,
    workflow: event.workflowName,
    taskId: event.taskId,
    task: event.taskName,
    attempt: event.attempt,
    type: event.type,
    status: statusName(event.status),
    message: event.message,
    workerId: event.workerId ?? null,
    ...(event.mismatch === undefined
      ? {}
      : { mismatch: { node: event.mismatch.node, recorded: event.mismatch.recorded, asked: event.mismatch.asked } }),
  };
}

function logRow(line: LogLine): LogRow {
  return {
    cursor: line.cursor,
    time: iso(line.time),
    taskId: line.taskId,
    task: line.taskName,
    attempt: line.attempt,
    level: line.level,
    message: line.message,
  };
}

function workflowRow(workflow: WorkflowSummary): WorkflowRow {
  const { workflowId, name, description, versionId, taskCount, paused, eventKeys } = workflow;
  return { workflowId, name, description, versionId, createdAt: iso(workflow.createdAt), taskCount, paused, eventKeys };
}

function workerRow(worker: WorkerSummary): WorkerRow {
  return {
    workerId: worker.workerId,
    name: worker.name,
    status: workerStatusName(worker.status),
    slots: worker.slots.map(({ type, total, used }) => ({ type, total, used })),
    actions: worker.actions,
    registeredAt: iso(worker.registeredAt),
    lastHeartbeatAt: iso(worker.lastHeartbeatAt),
    sdk: worker.sdk,
  };
}

function overview(message: StreamOverviewResponse): Overview {
  return {
    engineVersion: message.engineVersion,
    engineStartedAt: iso(message.engineStartedAt),
    queued: Number(message.queued),
    running: Number(message.running),
    triggered: Number(message.triggered),
    finished: Number(message.finished),
    workers: message.workers,
    slotsTotal: message.slotsTotal,
    slotsUsed: message.slotsUsed,
    workflowsRevision: message.workflowsRevision,
  };
}
