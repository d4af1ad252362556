import { plainInput } from '../../../sdk/run/without-envelope.ts';
import { isRecord } from '../../project/json-value.ts';
import type { RunDetail, RunRow, TaskRow } from '../run-reader.ts';
import type { RunStatusName } from '../../status-name.ts';
import type { RunDetailsShape, RunShape, StepConfig, TaskShape } from './rest-shapes.ts';
import { failureOf, nameOf, timeOf } from './stored-values.ts';

/** An evicted task counts as a running one on the wire. */
export function statusOf({ status, isEvicted }: Pick<TaskShape, 'status' | 'isEvicted'>): RunStatusName {
  return isEvicted === true && status === 'RUNNING' ? 'EVICTED' : status;
}

type RunFields = RunDetailsShape['run'];

/** The contract's REST API does not tell priorities. */
function commonRow(run: RunFields, names: { runId: string; workflow: string }): Omit<RunRow, 'taskCount'> {
  return {
    runId: names.runId,
    workflow: names.workflow,
    status: statusOf(run),
    createdAt: timeOf(run.metadata.createdAt),
    startedAt: timeOf(run.startedAt),
    finishedAt: timeOf(run.finishedAt),
    priority: null,
    parentRunId: parentOf(run),
    errorMessage: failureOf(run.errorMessage).message,
    metadata: run.additionalMetadata ?? {},
    ...(run.leftOut?.additionalMetadata === undefined ? {} : { metadataLeftOutBytes: run.leftOut.additionalMetadata }),
    ...(run.leftOut?.errorMessage === undefined ? {} : { errorLeftOutBytes: run.leftOut.errorMessage }),
  };
}

/** A cluster writes the parent's run into the metadata; by the id of the parent's task its run is found too. */
function parentOf({ additionalMetadata, parentTaskExternalId }: RunFields): string | null {
  const named = isRecord(additionalMetadata) ? additionalMetadata['hatchet__parent_workflow_run_id'] : undefined;
  return typeof named === 'string' && named !== '' ? named : (parentTaskExternalId ?? null);
}

export function runRow(run: RunShape): RunRow {
  return {
    ...commonRow(run, { runId: run.workflowRunExternalId, workflow: run.workflowName ?? nameOf(run.displayName) }),
    taskCount: Math.max(run.children?.length ?? 0, 1),
  };
}

/** @param workers names by the workers' ids, of those that took the tasks by the tasks' ids */
export function runDetail(
  details: RunDetailsShape,
  { workflow, workers }: { workflow: string; workers: ReadonlyMap<string, { id: string; name: string | null }> },
): RunDetail {
  const { run } = details;
  const tasks = taskRows(details, workers);
  const status = statusOf(run);
  // A run is evicted when its only task is.
  const [only] = tasks;
  const evicted = tasks.length === 1 && status === 'RUNNING' && only?.status === 'EVICTED';
  return {
    run: {
      ...commonRow(run, { runId: run.metadata.id, workflow }),
      status: evicted ? 'EVICTED' : status,
      taskCount: tasks.length,
    },
    input: plainInput(run.input) ?? null,
    tasks,
    ...(run.leftOut?.input === undefined ? {} : { inputLeftOutBytes: run.leftOut.input }),
  };
}

/** In the order of the definition, where it is told; those of a DAG that are not there yet are as its shape has them. */
function taskRows(
  { run, tasks, shape, workflowConfig }: RunDetailsShape,
  workers: ReadonlyMap<string, { id: string; name: string | null }>,
): TaskRow[] {
  const byId = new Map(tasks.map((task) => [task.taskExternalId, task]));
  const steps = new Map(
    [
      ...(workflowConfig?.Tasks ?? []),
      ...(workflowConfig?.OnFailureTask == null ? [] : [workflowConfig.OnFailureTask]),
    ].map((step) => [step.ReadableId ?? '', step]),
  );
  const parents = parentNames(shape);
  const rows = shape.map(({ taskExternalId, stepId, taskName }) => {
    const task = byId.get(taskExternalId);
    const config = steps.get(taskName);
    const facts = { name: taskName, parents: config?.Parents ?? parents.get(stepId) ?? [], config };
    return task === undefined
      ? pendingRow(stepId, facts, run.metadata.createdAt)
      : taskRow(task, facts, workers.get(task.taskExternalId));
  });
  const shown = new Set(shape.map((item) => item.taskExternalId));
  rows.push(
    ...tasks
      .filter((task) => !shown.has(task.taskExternalId))
      .map((task) =>
        taskRow(
          task,
          { name: nameOf(task.displayName), parents: [], config: undefined },
          workers.get(task.taskExternalId),
        ),
      ),
  );
  const order = [...steps.keys()];
  const place = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return order.length === 0 ? rows : rows.sort((a, b) => place(a.name) - place(b.name));
}

function parentNames(shape: RunDetailsShape['shape']): Map<string, string[]> {
  const parents = new Map<string, string[]>();
  for (const { taskName, childrenStepIds } of shape)
    for (const child of childrenStepIds ?? []) parents.set(child, [...(parents.get(child) ?? []), taskName]);
  return parents;
}

interface TaskFacts {
  name: string;
  parents: readonly string[];
  config: StepConfig | undefined;
}

function taskRow(
  task: TaskShape,
  { name, parents, config }: TaskFacts,
  worker: { id: string; name: string | null } | undefined,
): TaskRow {
  const failure = failureOf(task.errorMessage);
  const status = statusOf(task);
  return {
    taskId: task.taskExternalId,
    name,
    status,
    parents,
    attempt: task.retryCount ?? 0,
    retries: config?.Retries ?? null,
    workerId: worker?.id ?? null,
    workerName: worker?.name ?? null,
    // A cluster gives an empty object for none.
    output: status === 'COMPLETED' ? (task.output ?? null) : null,
    ...(task.leftOut?.output === undefined ? {} : { outputLeftOutBytes: task.leftOut.output }),
    ...(task.leftOut?.errorMessage === undefined ? {} : { errorLeftOutBytes: task.leftOut.errorMessage }),
    errorMessage: failure.message,
    errorStack: failure.stack,
    createdAt: timeOf(task.metadata.createdAt),
    queuedAt: null,
    startedAt: timeOf(task.startedAt),
    finishedAt: timeOf(task.finishedAt),
    durable: task.isDurable === true,
    liveState: '',
    cause: null,
  };
}

/** A cluster makes a DAG's task only once its parents have ended; until then its step stands for it. */
function pendingRow(stepId: string, { name, parents, config }: TaskFacts, createdAt: string): TaskRow {
  return {
    taskId: stepId,
    name,
    status: 'QUEUED',
    parents,
    attempt: 0,
    retries: config?.Retries ?? null,
    workerId: null,
    workerName: null,
    output: null,
    errorMessage: null,
    errorStack: null,
    createdAt: timeOf(createdAt),
    queuedAt: null,
    startedAt: null,
    finishedAt: null,
    durable: config?.isDurable === true,
    liveState: 'GATED',
    cause: null,
  };
}
