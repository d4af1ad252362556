import { status } from '@grpc/grpc-js';
import { ServerError } from '../../output/server-error.ts';
import { isNotFound, unknownRun, type RestClient } from './rest-client.ts';
import type { EventRow } from '../run-reader.ts';
import { eventRows, type RunNames } from './event-rows.ts';
import type {
  LogEntryShape,
  Rows,
  RunDetailsShape,
  TaskEventShape,
  TaskShape,
  WorkerShape,
  WorkflowShape,
} from './rest-shapes.ts';
import { nameOf } from './stored-values.ts';

const mostEvents = 1000;

/** Reads of one run, and the names that REST gives by ids alone, each asked for once. */
export class RunReads {
  readonly #client: Pick<RestClient, 'get'>;
  readonly #workflows = new Map<string, Promise<string | undefined>>();
  readonly #workers = new Map<string, Promise<string | null>>();

  constructor(client: Pick<RestClient, 'get'>) {
    this.#client = client;
  }

  /** By the id of a run or of one of its tasks. @throws ServerError */
  async details(id: string): Promise<RunDetailsShape> {
    try {
      return await this.#run(id);
    } catch (error) {
      if (error instanceof ServerError && error.status === status.INVALID_ARGUMENT)
        throw new ServerError(`${JSON.stringify(id)} is no id of a run`, {
          status: error.status,
          remedy: 'Find it with `hatchet runs list`.',
          cause: error,
        });
      if (!isNotFound(error)) throw error;
      const task = await this.#task(id);
      return await this.#run(task.workflowRunExternalId);
    }
  }

  #run(id: string): Promise<RunDetailsShape> {
    return this.#client.get<RunDetailsShape>(`/api/v1/stable/workflow-runs/${encodeURIComponent(id)}`);
  }

  async #task(id: string): Promise<TaskShape> {
    try {
      return await this.#client.get<TaskShape>(`/api/v1/stable/tasks/${encodeURIComponent(id)}`);
    } catch (error) {
      throw isNotFound(error) ? unknownRun(id, error) : error;
    }
  }

  /** Transitions of a run's tasks, oldest first. */
  async events(details: RunDetailsShape): Promise<EventRow[]> {
    const names = await this.names(details);
    if (details.taskEvents.length > 0) return eventRows(details.taskEvents, names);
    // A cluster tells those of a run of one task by the task alone.
    const lists = await Promise.all(
      details.tasks.map(
        async (task) =>
          (
            await this.#client.get<Rows<TaskEventShape>>(`/api/v1/stable/tasks/${task.taskExternalId}/task-events`, {
              limit: mostEvents,
            })
          ).rows ?? [],
      ),
    );
    return eventRows(lists.flat(), names);
  }

  async names({ run, tasks, shape, workflowConfig }: RunDetailsShape): Promise<RunNames> {
    const workflow =
      tasks[0]?.workflowName ??
      workflowConfig?.Name ??
      (await this.#workflowName(run.workflowId)) ??
      nameOf(run.displayName);
    const byShape = new Map(shape.map(({ taskExternalId, taskName }) => [taskExternalId, taskName]));
    return {
      runId: run.metadata.id,
      workflow,
      tasks: new Map(
        tasks.map((task) => [task.taskExternalId, byShape.get(task.taskExternalId) ?? nameOf(task.displayName)]),
      ),
    };
  }

  #workflowName(id: string | undefined): Promise<string | undefined> {
    if (id === undefined) return Promise.resolve(undefined);
    const known =
      this.#workflows.get(id) ??
      this.#client.get<WorkflowShape>(`/api/v1/workflows/${id}`).then(
        (workflow) => workflow.name,
        () => undefined,
      );
    this.#workflows.set(id, known);
    return known;
  }

  /** Who had each task last, by the tasks' ids. */
  async workers(events: readonly EventRow[]): Promise<Map<string, { id: string; name: string | null }>> {
    const last = new Map<string, string>();
    for (const { taskId, workerId } of events) if (workerId !== null) last.set(taskId, workerId);
    return new Map(
      await Promise.all(
        [...last].map(async ([taskId, id]) => [taskId, { id, name: await this.#workerName(id) }] as const),
      ),
    );
  }

  /** Null for one that is forgotten. */
  #workerName(id: string): Promise<string | null> {
    const known =
      this.#workers.get(id) ??
      this.#client.get<WorkerShape>(`/api/v1/workers/${id}`).then(
        (worker) => worker.name,
        () => null,
      );
    this.#workers.set(id, known);
    return known;
  }

  /** Of a durable task. @throws ServerError */
  async durableLog(taskId: string): Promise<LogEntryShape[]> {
    return this.#client.get<LogEntryShape[]>(
      `/api/v1/stable/tenants/:tenant/durable-tasks/${encodeURIComponent(taskId)}`,
      { limit: 1000 },
    );
  }
}
