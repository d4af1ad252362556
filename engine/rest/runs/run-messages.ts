import type { DagRow, Run, ShapeItem, Task, TaskEvent, TaskRow, TaskTiming } from '../../../proto/gen/rest/answers.ts';
import { splitError } from '../../model/payload/split-error.ts';
import { childrenOf, parentPlaces, topologyOf } from '../../model/topology.ts';
import type { JournalEvent } from '../../monitor/journal/journal-reads.ts';
import type { RunDetail, TaskDetail } from '../../monitor/runs/run-detail.ts';
import {
  isoMs,
  isoUs,
  leftOutFields,
  madeAt,
  resourceMeta,
  statusName,
  stepId,
  stepIds,
  storedJson,
  taskNumber,
} from '../message-fields.ts';
import type { PayloadSpace } from './repeated-payload-room.ts';

function durationMs(startedUs: number | null, finishedUs: number | null): number | undefined {
  return startedUs === null || finishedUs === null
    ? undefined
    : Math.max(0, Math.round((finishedUs - startedUs) / 1000));
}

function earliest(tasks: readonly TaskDetail[]): number | null {
  const started = tasks.flatMap((task) => (task.startedUs === null ? [] : [task.startedUs]));
  return started.length === 0 ? null : Math.min(...started);
}

/** `name-<milliseconds>`, as people tell runs of one workflow apart. */
export function displayName(name: string, id: string): string {
  return `${name}-${Date.parse(madeAt(id))}`;
}

/** A run of one task gives that task's output, a DAG an object by task. */
function runOutput(run: RunDetail): unknown {
  const [only] = run.tasks;
  if (run.tasks.length === 1) return storedJson(only?.output ?? null);
  return Object.fromEntries(
    run.tasks.flatMap((task) => (task.output === null ? [] : [[task.name, storedJson(task.output)]])),
  );
}

function runError(run: RunDetail): string | undefined {
  const failed = run.tasks.find((task) => task.error !== null);
  return failed === undefined ? undefined : splitError(failed.error).message;
}

function sum(run: RunDetail, field: 'outputLeftOut' | 'errorLeftOut'): number {
  return run.tasks.reduce((total, task) => total + task[field], 0);
}

export function runMessage(run: RunDetail): Run {
  const startedUs = earliest(run.tasks);
  return {
    metadata: resourceMeta(run.id),
    status: statusName(run.status),
    startedAt: isoUs(startedUs),
    finishedAt: isoUs(run.finishedUs),
    duration: durationMs(startedUs, run.finishedUs),
    tenantId: run.tenantId,
    additionalMetadata: storedJson(run.metadata),
    displayName: displayName(run.workflowName, run.id),
    workflowId: run.workflowId,
    output: runOutput(run),
    errorMessage: runError(run),
    workflowVersionId: run.versionId,
    input: storedJson(run.input),
    createdAt: madeAt(run.id),
    parentTaskExternalId: run.parentTaskId ?? undefined,
    leftOut: leftOutFields({
      input: run.inputLeftOut,
      additionalMetadata: run.metadataLeftOut,
      output: sum(run, 'outputLeftOut'),
      errorMessage: sum(run, 'errorLeftOut'),
    }),
  };
}

interface TaskOptions {
  children: number;
  /** Where the run's input and metadata stand in the answer already; what does not fit there once more is left out. */
  repeats?: PayloadSpace | undefined;
}

function taskMessage(run: RunDetail, place: number, task: TaskDetail, { children, repeats }: TaskOptions): Task {
  const hasMetadata = repeats?.take(run.metadata.length) ?? true;
  const hasInput = repeats?.take(run.input.length) ?? true;
  return {
    metadata: resourceMeta(task.id),
    actionId: task.action,
    retryCount: task.attempt,
    attempt: task.attempt + 1,
    additionalMetadata: storedJson(hasMetadata ? run.metadata : null),
    createdAt: madeAt(task.id),
    displayName: displayName(task.name, task.id),
    duration: durationMs(task.startedUs, task.finishedUs),
    isDurable: task.durable,
    errorMessage: splitError(task.error).message,
    finishedAt: isoUs(task.finishedUs),
    input: storedJson(hasInput ? run.input : null),
    numSpawnedChildren: children,
    output: storedJson(task.output),
    status: statusName(task.status),
    isEvicted: task.liveState === 'EVICTED',
    startedAt: isoUs(task.startedUs),
    stepId: stepId(run.versionId, place),
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
    leftOut: leftOutFields({
      input: run.inputLeftOut + (hasInput ? 0 : Buffer.byteLength(run.input)),
      additionalMetadata: run.metadataLeftOut + (hasMetadata ? 0 : Buffer.byteLength(run.metadata)),
      output: task.outputLeftOut,
      errorMessage: task.errorLeftOut,
    }),
  };
}

/** One task of a run. */
export function oneTaskMessage(run: RunDetail, task: TaskDetail, options: TaskOptions): Task {
  return taskMessage(run, run.tasks.indexOf(task), task, options);
}

/** All tasks of a run that exist, in the order of its definition. @param children how many runs each has spawned */
export function taskMessages(
  run: RunDetail,
  { children, repeats }: { children: ReadonlyMap<string, number>; repeats: PayloadSpace | undefined },
): Task[] {
  return run.tasks.flatMap((task, place) =>
    task.isToCome ? [] : [taskMessage(run, place, task, { children: children.get(task.id) ?? 0, repeats })],
  );
}

/** A run as a row of a list: a DAG has its tasks as children. */
export function runRow(
  run: RunDetail,
  options: { children: ReadonlyMap<string, number>; repeats: PayloadSpace },
): TaskRow | DagRow {
  const [only] = run.tasks;
  if (run.tasks.length === 1 && only !== undefined)
    return { ...oneTaskMessage(run, only, { children: options.children.get(only.id) ?? 0 }), children: [] };
  const children = taskMessages(run, options);
  return {
    ...runMessage(run),
    numSpawnedChildren: children.reduce((total, child) => total + child.numSpawnedChildren, 0),
    taskExternalId: run.id,
    taskId: taskNumber(run.id),
    taskInsertedAt: madeAt(run.id),
    type: 'DAG',
    workflowName: run.workflowName,
    workflowRunExternalId: run.id,
    children,
  };
}

/** What stands for the id of a task that does not exist yet. */
const noTask = '00000000-0000-0000-0000-000000000000';

/** The steps of a run, each with its task. */
export function shapeMessage(run: RunDetail): ShapeItem[] {
  const idOf = stepIds(run.versionId);
  const children = childrenOf(parentPlaces(run.tasks));
  return run.tasks.map((task, step) => ({
    taskExternalId: task.isToCome ? noTask : task.id,
    stepId: idOf(step),
    childrenStepIds: (children[step] ?? []).map(idOf),
    taskName: task.name,
  }));
}

/**
 * The transitions of a run's tasks that exist, numbered in the order of all; the journal only grows, so a number stays an event's
 * own.
 */
export function eventMessages(run: RunDetail, events: readonly JournalEvent[]): TaskEvent[] {
  const toCome = new Set(run.tasks.flatMap((task) => (task.isToCome ? [task.id] : [])));
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
    }))
    .filter((event) => !toCome.has(event.taskId));
}

export function timingMessages(run: RunDetail): TaskTiming[] {
  const { depths } = topologyOf(parentPlaces(run.tasks));
  return run.tasks.flatMap((task, place) => (task.isToCome ? [] : [timingMessage(run, task, depths[place] ?? 0)]));
}

function timingMessage(run: RunDetail, task: TaskDetail, depth: number): TaskTiming {
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
