import { ResourceEventType, type WorkflowEvent } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import {
  RunStatus,
  type GetRunDetailsResponse,
  type TasksFilter,
} from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { checkedDate } from '../checked-date.ts';
import { applyNamespace } from '../config/client-config.ts';
import { toHatchetError } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { callRest } from '../connection/rest.ts';
import { callUnary, repeatForMs } from '../connection/repeat-calls.ts';
import { HatchetError } from '../errors.ts';
import { plainRun } from './without-envelope.ts';
import type {
  ListRunsOptions,
  RunDetail,
  RunFilter,
  RunSelection,
  RunStatusName,
  TaskSummaryList,
  WorkflowRunDetails,
} from './run-record.ts';
import type { WorkflowRunRef } from './run-ref.ts';
import type { RunStarter } from './run-starter.ts';

const hourMs = 3_600_000;

/** A run, by its id or its reference. */
type RunId = string | { readonly workflowRunId: string };

/** Reads runs and acts on them. `hatchet.runs`. */
export class RunsClient {
  readonly #connection: Connection;
  readonly #runner: RunStarter;

  constructor(connection: Connection, runner: RunStarter) {
    this.#connection = connection;
    this.#runner = runner;
  }

  /** A run with its tasks and their events. @throws HatchetError UNKNOWN_RUN, UNREACHABLE, UNAUTHENTICATED */
  async get(run: RunId): Promise<WorkflowRunDetails> {
    const details = await callRest<WorkflowRunDetails>(
      this.#connection.config,
      'GET',
      `/api/v1/stable/workflow-runs/${idOf(run)}`,
    );
    return { ...details, run: plainRun(details.run), tasks: details.tasks.map(plainRun) };
  }

  /** A run's status. @throws as getDetails */
  async get_status(run: RunId): Promise<RunStatusName> {
    return (await this.getDetails(run)).status;
  }

  /** The status of each task of a run, by the tasks' names. @throws as getDetails */
  async getTaskStatus(run: RunId): Promise<Record<string, RunStatusName>> {
    const { taskRuns } = await this.getDetails(run);
    return Object.fromEntries(Object.values(taskRuns).map((task) => [task.readableId, task.status]));
  }

  /** A run with the status, output and error of each task. @throws HatchetError UNKNOWN_RUN, UNREACHABLE, UNAUTHENTICATED */
  async getDetails(run: RunId): Promise<RunDetail> {
    const { admin } = this.#connection;
    const externalId = idOf(run);
    try {
      return toDetail(
        await callUnary(
          this.#connection,
          admin.getRunDetails.bind(admin),
          { externalId },
          { repeatForMs, timeoutMs: 60_000 },
        ),
      );
    } catch (error) {
      throw toHatchetError(error, `read the run ${externalId}`, 'UNKNOWN_RUN');
    }
  }

  /** Runs, newest first. @throws HatchetError */
  async list(options: ListRunsOptions = {}): Promise<TaskSummaryList> {
    const { config } = this.#connection;
    const page = await callRest<TaskSummaryList>(
      config,
      'GET',
      `/api/v1/stable/tenants/${config.tenantId}/workflow-runs`,
      {
        query: {
          offset: options.offset,
          limit: options.limit,
          since: sinceOf(options).toISOString(),
          until: options.until === undefined ? undefined : checkedDate(options.until, 'until').toISOString(),
          statuses: options.statuses,
          workflow_ids: await this.#workflowIds(options),
          additional_metadata: metadataOf(options),
          worker_id: options.workerId,
          only_tasks: options.onlyTasks ?? false,
          parent_task_external_id: options.parentTaskRunExternalId,
          include_payloads: options.includePayloads ?? true,
        },
      },
    );
    return { ...page, rows: page.rows.map(plainRun) };
  }

  /** Cancels runs: queued tasks at once, running ones are told. Runs that have ended stay as they are. @throws HatchetError */
  async cancel(selection: RunSelection): Promise<{ data: { ids: string[] } }> {
    if (selection.ids !== undefined) return { data: { ids: await this.#runner.cancelTasks(selection.ids) } };
    const { admin } = this.#connection;
    const request = { externalIds: [], filter: await this.#filter(selection.filters ?? {}) };
    try {
      const { cancelledTasks } = await callUnary(this.#connection, admin.cancelTasks.bind(admin), request, {
        repeatForMs,
      });
      return { data: { ids: cancelledTasks } };
    } catch (error) {
      throw toHatchetError(error, 'cancel runs');
    }
  }

  /** Runs them again under the same ids. @throws HatchetError */
  async replay(selection: RunSelection): Promise<{ data: { ids: string[] } }> {
    if (selection.ids !== undefined) return { data: { ids: await this.#runner.replayTasks(selection.ids) } };
    const { admin } = this.#connection;
    const request = { externalIds: [], filter: await this.#filter(selection.filters ?? {}) };
    try {
      const { replayedTasks } = await callUnary(this.#connection, admin.replayTasks.bind(admin), request);
      return { data: { ids: replayedTasks } };
    } catch (error) {
      throw toHatchetError(error, 'replay runs');
    }
  }

  /** The id of a run's first task. @throws HatchetError UNKNOWN_RUN */
  async getTaskExternalId(workflowRunId: string): Promise<string> {
    const [first] = Object.values((await this.getDetails(workflowRunId)).taskRuns);
    if (first === undefined) throw new HatchetError('UNKNOWN_RUN', `the run ${workflowRunId} has no task`);
    return first.externalId;
  }

  /** What the run's tasks stream, from its beginning until the run has ended. @throws HatchetError UNKNOWN_RUN, UNREACHABLE */
  async *subscribeToStream(workflowRunId: string): AsyncGenerator<string> {
    const { dispatcher } = this.#connection;
    const call = dispatcher.subscribeToWorkflowEvents({ workflowRunId }, this.#connection.metadata());
    try {
      for await (const event of call) if (isStreamEvent(event)) yield event.eventPayload;
    } catch (error) {
      throw toHatchetError(error, `follow the stream of ${workflowRunId}`, 'UNKNOWN_RUN');
    } finally {
      call.cancel();
    }
  }

  /** A reference to a run that exists; its result is `{task: output}`. */
  runRef<Output = unknown>(id: string): WorkflowRunRef<Output> {
    return this.#runner.ref<Output>(id);
  }

  async #filter(filter: RunFilter): Promise<TasksFilter> {
    return {
      since: sinceOf(filter),
      until: filter.until,
      statuses: filter.statuses ?? [],
      workflowIds: (await this.#workflowIds(filter)) ?? [],
      additionalMetadata: metadataOf(filter) ?? [],
    };
  }

  async #workflowIds({ workflowNames }: RunFilter): Promise<string[] | undefined> {
    if (workflowNames === undefined) return undefined;
    const { config } = this.#connection;
    const found = await Promise.all(
      workflowNames.map(async (given) => {
        const name = applyNamespace(given, config.namespace).toLowerCase();
        const { rows } = await callRest<{ rows?: { name: string; metadata: { id: string } }[] }>(
          config,
          'GET',
          `/api/v1/tenants/${config.tenantId}/workflows`,
          { query: { name } },
        );
        const workflow = rows?.find((row) => row.name === name);
        if (workflow === undefined) throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${name}`);
        return workflow.metadata.id;
      }),
    );
    return found;
  }
}

function isStreamEvent(event: unknown): event is WorkflowEvent {
  return (
    typeof event === 'object' &&
    event !== null &&
    'eventType' in event &&
    event.eventType === ResourceEventType.RESOURCE_EVENT_TYPE_STREAM
  );
}

function idOf(run: RunId): string {
  return typeof run === 'string' ? run : run.workflowRunId;
}

function sinceOf(filter: RunFilter): Date {
  return filter.since === undefined ? new Date(Date.now() - hourMs) : checkedDate(filter.since, 'since');
}

function metadataOf({ additionalMetadata }: RunFilter): string[] | undefined {
  return additionalMetadata === undefined
    ? undefined
    : Object.entries(additionalMetadata).map(([key, value]) => `${key}:${value}`);
}

/** An evicted run is a running one that has left its worker. */
const statusNames: Record<RunStatus, RunStatusName> = {
  [RunStatus.QUEUED]: 'QUEUED',
  [RunStatus.RUNNING]: 'RUNNING',
  [RunStatus.COMPLETED]: 'COMPLETED',
  [RunStatus.FAILED]: 'FAILED',
  [RunStatus.CANCELLED]: 'CANCELLED',
  [RunStatus.EVICTED]: 'RUNNING',
};

function toDetail(response: GetRunDetailsResponse): RunDetail {
  return {
    status: statusNames[response.status],
    done: response.done,
    input: fromBytes(response.input),
    additionalMetadata: fromBytes(response.additionalMetadata),
    isEvicted: response.isEvicted,
    taskRuns: Object.fromEntries(
      Object.entries(response.taskRuns).map(([key, { externalId, readableId, status, output, error, isEvicted }]) => [
        key,
        {
          externalId,
          readableId: readableId === '' ? key : readableId,
          status: statusNames[status],
          output: fromBytes(output),
          error,
          isEvicted,
        },
      ]),
    ),
  };
}

function fromBytes(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined || bytes.length === 0) return null;
  return JSON.parse(Buffer.from(bytes).toString('utf8'));
}
