import { splitError } from '../model/split-error.ts';
import { childrenOf, parentPlaces, topologyOf } from '../model/topology.ts';
import type { JournalEvent } from '../monitor/journal-reads.ts';
import type { RunDetail, TaskDetail } from '../monitor/run-detail.ts';
import { isoMs, isoUs, jsonValue, madeAt, resourceMeta, statusName, stepId, taskNumber } from './contract.ts';

function durationMs(startedUs: number | null, finishedUs: number | null): number | undefined {
  return startedUs === null || finishedUs === null ? undefined : Math.max(0, Math.round((finishedUs - startedUs) / 1000));
}

function earliest(tasks: readonly TaskDetail[]): number | null {
  const started = tasks.flatMap((task) => (task.startedUs === null ? [] : [task.startedUs]));
  return started.length === 0 ? null : Math.min(...started);
}

/** `name-<milliseconds>`, as people tell runs of one workflow apart. */
function displayName(name: string, id: string): string {
  return `${name}-${Date.parse(madeAt(id))}`;
}

/** A run of one task gives that task's output, a DAG an object by task. */
function runOutput(run: RunDetail): unknown {
  const [only] = run.tasks;
  if (run.tasks.length === 1) return jsonValue(only?.output ?? null);
  return Object.fromEntries(run.tasks.flatMap((task) => (task.output === null ? [] : [[task.name, jsonValue(task.output)]])));
}

function runError(run: RunDetail): string | undefined {
  const failed = run.tasks.find((task) => task.error !== null);
  return failed === undefined ? undefined : splitError(failed.error).message;
}

export interface PayloadChoice {
  /** Lists may leave inputs and outputs out: they then are empty objects. */
  payloads: boolean;
}

export function runMessage(run: RunDetail) {
  const startedUs = earliest(run.tasks);
  return {
    metadata: resourceMeta(run.id),
    status: statusName(run.status),
    startedAt: isoUs(startedUs),
    finishedAt: isoUs(run.finishedUs),
    duration: durationMs(startedUs, run.finishedUs),
    tenantId: run.tenantId,
    additionalMetadata: jsonValue(run.metadata),
    displayName: displayName(run.workflowName, run.id),
    workflowId: run.workflowId,
    output: runOutput(run),
    errorMessage: runError(run),
    workflowVersionId: run.versionId,
    input: jsonValue(run.input),
    createdAt: madeAt(run.id),
    parentTaskExternalId: run.parentTaskId ?? undefined,
  };
}

export function taskMessage(run: RunDetail, task: TaskDetail, options: PayloadChoice & { children: number }) {
  return {
    metadata: resourceMeta(task.id),
    actionId: task.action,
    retryCount: task.attempt,
    attempt: task.attempt + 1,
    additionalMetadata: jsonValue(run.metadata),
    createdAt: madeAt(task.id),
    displayName: displayName(task.name, task.id),
    duration: durationMs(task.startedUs, task.finishedUs),
    isDurable: task.durable,
    errorMessage: splitError(task.error).message,
    finishedAt: isoUs(task.finishedUs),
    input: options.payloads ? jsonValue(run.input) : {},
    numSpawnedChildren: options.children,
    output: options.payloads ? jsonValue(task.output) : {},
    status: statusName(task.status),
    isEvicted: task.liveState === 'EVICTED',
    startedAt: isoUs(task.startedUs),
    stepId: stepId(run.versionId, run.tasks.indexOf(task)),
    taskExternalId: task.id,
    taskId: taskNumber(task.id),
    taskInsertedAt: madeAt(task.id),
    tenantId: run.tenantId,
    type: 'TASK',
    workflowId: run.workflowId,
    workflowName: run.workflowName,
    workflowRunExternalId: run.id,
    workflowVersionId: run.versionId,
    parentTaskExternalId: run.parentTaskId ?? undefined,
  };
}

/** A run as a row of a list: a DAG has its tasks as children. */
export function runRow(run: RunDetail, options: PayloadChoice & { children: ReadonlyMap<string, number> }) {
  const [only] = run.tasks;
  if (run.tasks.length === 1 && only !== undefined) return { ...taskMessage(run, only, { ...options, children: options.children.get(only.id) ?? 0 }), children: [] };
  const message = runMessage(run);
  const children = run.tasks.map((task) => taskMessage(run, task, { ...options, children: options.children.get(task.id) ?? 0 }));
  return {
    ...message,
    input: options.payloads ? message.input : {},
    output: options.payloads ? message.output : {},
    numSpawnedChildren: children.reduce((sum, child) => sum + child.numSpawnedChildren, 0),
    taskExternalId: run.id,
    taskId: taskNumber(run.id),
    taskInsertedAt: madeAt(run.id),
    type: 'DAG',
    workflowName: run.workflowName,
    workflowRunExternalId: run.id,
    children,
  };
}

export function shapeMessage(run: RunDetail) {
  const ids = run.tasks.map((_, step) => stepId(run.versionId, step));
  const children = childrenOf(parentPlaces(run.tasks));
  return run.tasks.map((task, step) => ({
    taskExternalId: task.id,
    stepId: ids[step],
    childrenStepIds: (children[step] ?? []).map((child) => ids[child]),
    taskName: task.name,
  }));
}

/** The tasks' transitions, numbered in their order; the journal only grows, so a number stays an event's own. */
export function eventMessages(events: readonly JournalEvent[]) {
  return events
    .filter((event) => !event.ofRun)
    .map((event, index) => ({
      id: index + 1,
      taskId: event.taskId,
      timestamp: isoMs(event.timeUs / 1000),
      eventType: event.type,
      message: event.message,
      errorMessage: event.type === 'FAILED' ? event.message : undefined,
      workerId: event.workerId ?? undefined,
      taskDisplayName: event.stepName,
      retryCount: event.attempt,
      attempt: event.attempt + 1,
    }));
}

export function timingMessages(run: RunDetail) {
  const { depths } = topologyOf(parentPlaces(run.tasks));
  return run.tasks.map((task, place) => timingMessage(run, task, depths[place] ?? 0));
}

function timingMessage(run: RunDetail, task: TaskDetail, depth: number) {
  return {
    metadata: resourceMeta(task.id),
    depth,
    status: statusName(task.status),
    taskDisplayName: displayName(task.name, task.id),
    taskExternalId: task.id,
    taskId: taskNumber(task.id),
    taskInsertedAt: madeAt(task.id),
    tenantId: run.tenantId,
    queuedAt: isoUs(task.queuedUs),
    startedAt: isoUs(task.startedUs),
    finishedAt: isoUs(task.finishedUs),
    workflowRunId: run.id,
    retryCount: task.attempt,
    attempt: task.attempt + 1,
  };
}
