import { parseStored } from '../../cli/project/json-value.ts';
import type { BranchRow, ConditionRow, DurableLogRow, NodeKind, NodeRow } from '../../cli/monitor/durable-log-row.ts';
import type { EventRow, LogRow, RunDetail, RunRow, TaskRow } from '../../cli/monitor/run-reader.ts';
import { isRunStatus, type RunStatusName } from '../../cli/status-name.ts';
import { count, fieldsOf, flag, list, optional, optionalCount, text, texts, type Fields } from './fields.ts';

/** Messages of the monitoring service about runs, in the shapes that the command has for them. */

export function statusOf(fields: Fields, name = 'status'): RunStatusName {
  const status = text(fields, name).replace('RUN_STATUS_', '');
  return isRunStatus(status) ? status : 'QUEUED';
}

export function runRow(fields: Fields): RunRow {
  const metadataLeftOutBytes = optionalCount(fields, 'metadataLeftOutBytes');
  const errorLeftOutBytes = optionalCount(fields, 'errorLeftOutBytes');
  return {
    runId: text(fields, 'runId'),
    workflow: text(fields, 'workflowName'),
    status: statusOf(fields),
    createdAt: optional(fields, 'createdAt'),
    startedAt: optional(fields, 'startedAt'),
    finishedAt: optional(fields, 'finishedAt'),
    priority: count(fields, 'priority'),
    taskCount: count(fields, 'taskCount'),
    parentRunId: optional(fields, 'parentRunId'),
    errorMessage: optional(fields, 'errorMessage'),
    metadata: parseStored(text(fields, 'additionalMetadata')),
    ...(metadataLeftOutBytes === undefined ? {} : { metadataLeftOutBytes }),
    ...(errorLeftOutBytes === undefined ? {} : { errorLeftOutBytes }),
  };
}

export function runDetail(fields: Fields): RunDetail {
  const inputLeftOutBytes = optionalCount(fields, 'inputLeftOutBytes');
  return {
    run: runRow(fieldsOf(fields['run'])),
    input: parseStored(text(fields, 'input')),
    tasks: list(fields, 'tasks', taskRow),
    ...(inputLeftOutBytes === undefined ? {} : { inputLeftOutBytes }),
  };
}

function taskRow(fields: Fields): TaskRow {
  const outputLeftOutBytes = optionalCount(fields, 'outputLeftOutBytes');
  const errorLeftOutBytes = optionalCount(fields, 'errorLeftOutBytes');
  const cause = fields['cause'];
  return {
    taskId: text(fields, 'taskId'),
    name: text(fields, 'name'),
    status: statusOf(fields),
    parents: texts(fields, 'parents'),
    attempt: count(fields, 'attempt'),
    retries: count(fields, 'retries'),
    workerId: optional(fields, 'workerId'),
    workerName: optional(fields, 'workerName'),
    output: parseStored(optional(fields, 'output') ?? undefined),
    ...(outputLeftOutBytes === undefined ? {} : { outputLeftOutBytes }),
    ...(errorLeftOutBytes === undefined ? {} : { errorLeftOutBytes }),
    errorMessage: optional(fields, 'errorMessage'),
    errorStack: optional(fields, 'errorStack'),
    createdAt: optional(fields, 'createdAt'),
    queuedAt: optional(fields, 'queuedAt'),
    startedAt: optional(fields, 'startedAt'),
    finishedAt: optional(fields, 'finishedAt'),
    durable: flag(fields, 'durable'),
    liveState: text(fields, 'liveState'),
    cause: cause === undefined || cause === null ? null : causeRow(fieldsOf(cause)),
  };
}

function causeRow(fields: Fields): NonNullable<TaskRow['cause']> {
  return {
    code: text(fields, 'code'),
    text: text(fields, 'text'),
    until: optional(fields, 'until'),
    ids: texts(fields, 'ids'),
  };
}

export function eventRow(fields: Fields): EventRow {
  const mismatch = fields['mismatch'];
  const of = fieldsOf(mismatch);
  return {
    cursor: text(fields, 'cursor'),
    time: optional(fields, 'time'),
    runId: text(fields, 'runId'),
    workflow: text(fields, 'workflowName'),
    taskId: text(fields, 'taskId'),
    task: text(fields, 'taskName'),
    attempt: count(fields, 'attempt'),
    type: text(fields, 'type'),
    status: statusOf(fields),
    message: text(fields, 'message'),
    workerId: optional(fields, 'workerId'),
    ...(mismatch === undefined || mismatch === null
      ? {}
      : { mismatch: { node: count(of, 'node'), recorded: text(of, 'recorded'), asked: text(of, 'asked') } }),
  };
}

export interface EventPage {
  events: readonly EventRow[];
  /** Where to resume. */
  cursor: string;
  live: boolean;
}

export function eventPage(fields: Fields): EventPage {
  return { events: list(fields, 'events', eventRow), cursor: text(fields, 'cursor'), live: flag(fields, 'live') };
}

export function logRow(fields: Fields): LogRow {
  return {
    cursor: text(fields, 'cursor'),
    time: optional(fields, 'time'),
    taskId: text(fields, 'taskId'),
    task: text(fields, 'taskName'),
    attempt: count(fields, 'attempt'),
    level: text(fields, 'level'),
    message: text(fields, 'message'),
  };
}

export function durableLog(fields: Fields): DurableLogRow {
  return {
    taskId: text(fields, 'taskId'),
    task: text(fields, 'name'),
    nodes: list(fields, 'nodes', nodeRow),
    branches: list(fields, 'branches', branchRow),
    canSkip: flag(fields, 'canSkip'),
  };
}

const kinds: readonly NodeKind[] = ['WAIT', 'CHILD', 'MEMO', 'SIGNAL'];

function nodeRow(fields: Fields): NodeRow {
  const kind = text(fields, 'kind').replace('DURABLE_KIND_', '');
  const workflow = optional(fields, 'childWorkflow');
  const outputCut = flag(fields, 'outputCut');
  const output = optional(fields, 'output');
  return {
    branch: count(fields, 'branch'),
    node: count(fields, 'node'),
    kind: kinds.find((name) => name === kind) ?? 'WAIT',
    asked: text(fields, 'asked'),
    conditions: list(fields, 'conditions', conditionRow),
    label: optional(fields, 'label'),
    key: optional(fields, 'key'),
    child:
      workflow === null
        ? null
        : {
            workflow,
            key: optional(fields, 'childKey'),
            input: text(fields, 'childInput'),
            runId: optional(fields, 'childRunId'),
          },
    invocation: count(fields, 'invocation'),
    askedAt: optional(fields, 'askedAt'),
    satisfiedAt: optional(fields, 'satisfiedAt'),
    status: optional(fields, 'status') === null ? null : statusOf(fields),
    output: outputCut ? (output ?? '') : parseStored(output ?? undefined),
    outputCut,
    errorMessage: optional(fields, 'errorMessage'),
  };
}

function conditionRow(fields: Fields): ConditionRow {
  return {
    group: count(fields, 'group'),
    dataKey: text(fields, 'dataKey'),
    sleep: optional(fields, 'sleep'),
    dueAt: optional(fields, 'dueAt'),
    eventKey: optional(fields, 'eventKey'),
    scope: optional(fields, 'scope'),
    expression: text(fields, 'expression'),
    since: optional(fields, 'since'),
    met: flag(fields, 'met'),
  };
}

function branchRow(fields: Fields): BranchRow {
  return {
    branch: count(fields, 'branch'),
    parent: count(fields, 'parent'),
    firstNode: count(fields, 'firstNode'),
    madeAt: optional(fields, 'madeAt'),
    continued: flag(fields, 'continued'),
  };
}
