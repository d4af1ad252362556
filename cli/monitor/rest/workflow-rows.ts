import type { WorkerRow, WorkflowDetail, WorkflowRow } from '../run-reader.ts';
import type { StepConfig, StepShape, VersionShape, WorkerShape, WorkflowShape } from './rest-shapes.ts';
import { timeOf } from './stored-values.ts';

/** What a cluster says in a list is less than what it says of one. */
export function workflowRow(workflow: WorkflowShape, version?: VersionShape): WorkflowRow {
  const { metadata, name, description = '', isPaused = false, versions = [] } = workflow;
  return {
    workflowId: metadata.id,
    name,
    description,
    versionId: version?.metadata.id ?? versions[0]?.metadata.id ?? '',
    createdAt: timeOf(version?.metadata.createdAt ?? metadata.createdAt),
    taskCount: version === undefined ? null : tasksOf(version).length,
    paused: isPaused,
    eventKeys: (version?.triggers?.events ?? []).map((event) => event.event_key),
  };
}

export function workflowDetail(workflow: WorkflowShape, version: VersionShape): WorkflowDetail {
  return {
    workflow: workflowRow(workflow, version),
    tasks: tasksOf(version),
    inputJsonSchema: version.inputJsonSchema ?? null,
    // A cluster says 0 for none of its own.
    defaultPriority: Math.max(version.defaultPriority ?? 1, 1),
  };
}

type Tasks = WorkflowDetail['tasks'];

function tasksOf({ workflowConfig, jobs = [], scheduleTimeout = '' }: VersionShape): Tasks {
  const configured = [
    ...(workflowConfig?.Tasks ?? []),
    ...(workflowConfig?.OnFailureTask == null ? [] : [workflowConfig.OnFailureTask]),
  ];
  if (configured.length > 0) return configured.map((step) => configuredTask(step, scheduleTimeout));
  const steps = jobs.flatMap((job) => job.steps);
  const names = new Map(steps.map((step) => [step.metadata.id, step.readableId]));
  return steps.map((step) => plainTask(step, names));
}

function configuredTask(
  { ReadableId = '', Parents, Retries = 0, Timeout, ScheduleTimeout, isDurable = false }: StepConfig,
  scheduleTimeout: string,
): Tasks[number] {
  return {
    name: ReadableId,
    parents: Parents ?? [],
    retries: Retries,
    executionTimeout: Timeout ?? '',
    scheduleTimeout: ScheduleTimeout ?? scheduleTimeout,
    durable: isDurable,
  };
}

function plainTask(
  { readableId, parents = [], timeout = '', isDurable = false }: StepShape,
  names: ReadonlyMap<string, string>,
): Tasks[number] {
  return {
    name: readableId,
    parents: parents.map((id) => names.get(id) ?? id),
    retries: null,
    executionTimeout: timeout,
    scheduleTimeout: '',
    durable: isDurable,
  };
}

export function workerRow(worker: WorkerShape): WorkerRow {
  const {
    metadata,
    name,
    status = 'INACTIVE',
    lastHeartbeatAt,
    actions = [],
    slotConfig = {},
    runtimeInfo = {},
  } = worker;
  return {
    workerId: metadata.id,
    name,
    status,
    slots: Object.entries(slotConfig).map(([type, { limit, available }]) => ({
      type,
      total: limit,
      used: limit - (available ?? limit),
    })),
    actions,
    registeredAt: timeOf(metadata.createdAt),
    lastHeartbeatAt: timeOf(lastHeartbeatAt),
    sdk: [runtimeInfo.language?.toLowerCase(), runtimeInfo.sdkVersion]
      .filter((part) => part !== undefined && part !== '')
      .join(' '),
  };
}
