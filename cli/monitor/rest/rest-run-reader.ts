import { sdkOf } from '../../connection/with-sdk.ts';
import type { Connection } from '../../connection/resolve-connection.ts';
import type { Hatchet } from '../../../sdk/index.ts';
import { status } from '@grpc/grpc-js';
import { ServerError } from '../../output/server-error.ts';
import type { DurableLogRow } from '../durable-log-row.ts';
import { NotOffered } from '../not-offered.ts';
import type { QueueFigures } from '../queue-rows.ts';
import type {
  EventBatch,
  EventRow,
  LogRow,
  Overview,
  RunDetail,
  RunFilter,
  RunReader,
  RunRow,
  WorkerRow,
  WorkflowDetail,
  WorkflowRow,
} from '../run-reader.ts';
import type { ScheduleFigures } from '../schedule-rows.ts';
import { isTerminal } from '../../status-name.ts';
import { durableLogOf } from './durable-log-of.ts';
import { overviewSince, readOverview, readSchedules, readWorkers, readWorkflows } from './figures.ts';
import { followRun } from './follow-run.ts';
import { followRuns } from './follow-runs.ts';
import { listRunShapes, workflowByName } from './list-runs.ts';
import { settledRuns } from './event-runs.ts';
import { followLogs, loggedTasks, readLogs } from './log-rows.ts';
import { pollMs, repeated } from './polls.ts';
import { RestClient } from './rest-client.ts';
import type { VersionShape } from './rest-shapes.ts';
import { RunReads } from './run-reads.ts';
import { runDetail, runRow } from './run-rows.ts';
import { workerRow, workflowDetail, workflowRow } from './workflow-rows.ts';

const usualLines = 1000;
const exportedAtOnce = 500;
/** Workflows whose version is asked for in a list. */
const mostVersions = 200;

/** The REST API of the contract, which our engine and Hatchet clusters have. What the monitoring service streams is asked for again and again. */
export class RestRunReader implements RunReader {
  readonly #hatchet: Hatchet;
  readonly #client: RestClient;
  readonly #reads: RunReads;

  constructor(connection: Connection) {
    this.#hatchet = sdkOf(connection);
    this.#client = new RestClient(this.#hatchet.config);
    this.#reads = new RunReads(this.#client);
  }

  async listRuns(filter: RunFilter): Promise<{ rows: readonly RunRow[]; next: string | null }> {
    const tasksOf = filter.parent === undefined ? undefined : await this.#tasksOf(filter.parent);
    const { rows, next } = await listRunShapes(this.#client, filter, tasksOf === undefined ? {} : { tasksOf });
    return { rows: rows.map(runRow), next };
  }

  /** A run's tasks, or the task itself. */
  async #tasksOf(id: string): Promise<string[]> {
    const { run, tasks } = await this.#reads.details(id);
    return run.metadata.id === id ? tasks.map((task) => task.taskExternalId) : [id];
  }

  async getRun(runId: string): Promise<RunDetail> {
    const details = await this.#reads.details(runId);
    const [{ workflow }, events] = await Promise.all([this.#reads.names(details), this.#reads.events(details)]);
    return runDetail(details, { workflow, workers: await this.#reads.workers(events) });
  }

  async whyRun(runId: string): Promise<RunDetail> {
    const detail = await this.getRun(runId);
    if (!isTerminal(detail.run.status)) throw new NotOffered('why');
    return detail;
  }

  async runsOfEvent(eventId: string): Promise<readonly RunRow[]> {
    return await settledRuns(this.#client, eventId);
  }

  async *streamEvents(
    options: { runId?: string; after?: string; workflows?: readonly string[] },
    signal: AbortSignal,
  ): AsyncGenerator<EventBatch> {
    const { runId, after, workflows } = options;
    if (runId === undefined) yield* followRuns(this.#client, { after, workflows, signal });
    else yield* followRun(this.#reads, { runId, after, signal });
  }

  /** The list, then each run by itself: REST gives no outputs of a DAG's tasks in a list. */
  async *exportRuns(filter: RunFilter, signal: AbortSignal): AsyncGenerator<RunDetail> {
    let left = filter.limit ?? Number.POSITIVE_INFINITY;
    for (let page = filter.page ?? null, isFirst = true; (isFirst || page !== null) && left > 0; isFirst = false) {
      const read = await this.listRuns({
        ...filter,
        limit: Math.min(exportedAtOnce, left),
        ...(page === null ? {} : { page }),
      });
      for (const row of read.rows) {
        if (signal.aborted) return;
        yield await this.getRun(row.runId);
      }
      left -= read.rows.length;
      page = read.next;
    }
  }

  async listEvents(
    runId: string,
    { after = '0', limit }: { after?: string; limit: number },
  ): Promise<{ rows: readonly EventRow[]; next: string | null }> {
    const begin = Number(after);
    if (!Number.isSafeInteger(begin) || begin < 0)
      throw new ServerError(`${JSON.stringify(after)} is no page of this list`, {
        status: status.INVALID_ARGUMENT,
        remedy: 'Give --page what the page before has said, on the same engine.',
        cause: undefined,
      });
    const details = await this.#reads.details(runId);
    const all = await this.#reads.events(details);
    const isTask = details.run.metadata.id !== runId;
    const events = isTask ? all.filter(({ taskId }) => taskId === runId) : all;
    const end = begin + limit;
    return { rows: events.slice(begin, end), next: events.length > end ? String(end) : null };
  }

  async listLogs(
    id: string,
    options: { limit?: number; levels?: readonly string[]; search?: string; newest?: boolean },
  ): Promise<readonly LogRow[]> {
    const details = await this.#reads.details(id);
    return await readLogs(this.#client, await loggedTasks(this.#reads, id, details), { limit: usualLines, ...options });
  }

  async *streamLogs(id: string, after: string | undefined, signal: AbortSignal): AsyncGenerator<readonly LogRow[]> {
    yield* followLogs({ client: this.#client, reads: this.#reads, id, after, signal });
  }

  async getDurableLog(id: string): Promise<DurableLogRow> {
    const details = await this.#reads.details(id);
    const { tasks } = await this.#reads.names(details);
    const taskId = tasks.has(id) ? id : (details.tasks.find((task) => task.isDurable === true)?.taskExternalId ?? id);
    return durableLogOf(taskId, tasks.get(taskId) ?? '', await this.#reads.durableLog(taskId));
  }

  async *streamDurableLog(id: string, signal: AbortSignal): AsyncGenerator<DurableLogRow> {
    yield* this.#changes(pollMs.logs, signal, () => this.getDurableLog(id));
  }

  /** Tasks and event keys are told of each by itself; of very many they are left out. */
  async listWorkflows(): Promise<readonly WorkflowRow[]> {
    const workflows = await readWorkflows(this.#client);
    return await Promise.all(
      workflows.map(async (workflow, index) =>
        workflowRow(workflow, index < mostVersions ? await this.#version(workflow.metadata.id) : undefined),
      ),
    );
  }

  #version(workflowId: string): Promise<VersionShape> {
    return this.#client.get<VersionShape>(`/api/v1/workflows/${workflowId}/versions`);
  }

  async getWorkflow(name: string): Promise<WorkflowDetail> {
    const workflow = await workflowByName(this.#client, name);
    if (workflow === undefined)
      throw new ServerError(`there is no workflow ${JSON.stringify(name)}`, {
        status: status.NOT_FOUND,
        remedy: 'See `hatchet workflows list`.',
        cause: undefined,
      });
    return workflowDetail(workflow, await this.#version(workflow.metadata.id));
  }

  async listWorkers({ all }: { all: boolean }): Promise<readonly WorkerRow[]> {
    return (await readWorkers(this.#client)).map(workerRow).filter(({ status: state }) => all || state !== 'INACTIVE');
  }

  async *streamOverview(signal: AbortSignal): AsyncGenerator<Overview> {
    const since = overviewSince(Date.now());
    yield* repeated(pollMs.figures, signal, () => readOverview(this.#client, since));
  }

  listQueues(): Promise<QueueFigures> {
    return Promise.reject(new NotOffered('queues'));
  }

  // eslint-disable-next-line require-yield
  async *streamQueues(_signal: AbortSignal): AsyncGenerator<QueueFigures> {
    await this.listQueues();
  }

  async listSchedules(): Promise<ScheduleFigures> {
    return await readSchedules(this.#client);
  }

  async *streamSchedules(signal: AbortSignal): AsyncGenerator<ScheduleFigures> {
    yield* this.#changes(pollMs.figures, signal, () => this.listSchedules());
  }

  /** What a read gives, at once and when it is no longer the same. */
  async *#changes<T>(everyMs: number, signal: AbortSignal, read: () => Promise<T>): AsyncGenerator<T> {
    let last = '';
    for await (const value of repeated(everyMs, signal, read)) {
      const text = JSON.stringify(value);
      if (text !== last) yield value;
      last = text;
    }
  }

  close(): void {
    this.#hatchet.close();
  }
}
