import { parseStored } from '../../cli/project/json-value.ts';
import type { KeyRow, LimitRow, QueueFigures, QueueRow } from '../../cli/monitor/queue-rows.ts';
import type { Overview, WorkerRow, WorkflowDetail, WorkflowRow } from '../../cli/monitor/run-reader.ts';
import type { CronRow, ScheduleFigures } from '../../cli/monitor/schedule-rows.ts';
import type { WorkerStatusName } from '../../cli/status-name.ts';
import { count, fieldsOf, flag, list, optional, text, texts, type Fields } from './fields.ts';

/** Messages of the monitoring service about definitions, workers and figures, in the shapes that the command has for them. */

export interface EngineOverview extends Overview {
  workersRevision: string;
}

export function overview(fields: Fields): EngineOverview {
  return {
    engineVersion: text(fields, 'engineVersion'),
    engineStartedAt: optional(fields, 'engineStartedAt'),
    queued: count(fields, 'queued'),
    running: count(fields, 'running'),
    triggered: count(fields, 'triggered'),
    finished: count(fields, 'finished'),
    workers: count(fields, 'workers'),
    slotsTotal: count(fields, 'slotsTotal'),
    slotsUsed: count(fields, 'slotsUsed'),
    workflowsRevision: text(fields, 'workflowsRevision'),
    workersRevision: text(fields, 'workersRevision'),
  };
}

export function queueFigures(fields: Fields): QueueFigures {
  return {
    queues: list(fields, 'rows', queueRow),
    keys: list(fields, 'keys', keyRow),
    limits: list(fields, 'limits', limitRow),
    total: { queues: count(fields, 'rowCount'), keys: count(fields, 'keyCount'), limits: count(fields, 'limitCount') },
  };
}

function queueRow(fields: Fields): QueueRow {
  return {
    action: text(fields, 'action'),
    queued: count(fields, 'queued'),
    running: count(fields, 'running'),
    delayed: count(fields, 'delayed'),
    waitingForPlace: count(fields, 'waitingForPlace'),
    waitingForUnits: count(fields, 'waitingForUnits'),
    waitingForBatch: count(fields, 'waitingForBatch'),
    workers: count(fields, 'workers'),
    oldestQueuedAt: optional(fields, 'oldestQueuedAt'),
  };
}

function keyRow(fields: Fields): KeyRow {
  return {
    key: text(fields, 'key'),
    workflow: named(fields, 'workflowName'),
    task: named(fields, 'taskName'),
    sharedName: named(fields, 'sharedName'),
    strategy: text(fields, 'strategy'),
    held: count(fields, 'held'),
    maxRuns: count(fields, 'maxRuns'),
    waiting: count(fields, 'waiting'),
  };
}

function limitRow(fields: Fields): LimitRow {
  return {
    key: text(fields, 'key'),
    limit: count(fields, 'limit'),
    window: text(fields, 'window'),
    used: count(fields, 'used'),
    refillAt: optional(fields, 'refillAt'),
    waiting: count(fields, 'waiting'),
    tooLarge: count(fields, 'tooLarge'),
    isStatic: flag(fields, 'isStatic'),
  };
}

function named(fields: Fields, name: string): string | null {
  const value = text(fields, name);
  return value === '' ? null : value;
}

export function scheduleFigures(fields: Fields): ScheduleFigures {
  return {
    crons: list(fields, 'crons', cronRow),
    schedules: list(fields, 'schedules', (item) => ({
      scheduleId: text(item, 'scheduleId'),
      workflow: text(item, 'workflowName'),
      dueAt: optional(item, 'dueAt'),
    })),
    total: { crons: count(fields, 'cronCount'), schedules: count(fields, 'scheduleCount') },
  };
}

function cronRow(fields: Fields): CronRow {
  return {
    cronId: text(fields, 'cronId'),
    name: text(fields, 'name'),
    workflow: text(fields, 'workflowName'),
    expression: text(fields, 'expression'),
    timezone: text(fields, 'timezone'),
    catchUp: text(fields, 'catchUp'),
    enabled: flag(fields, 'enabled'),
    isDeclared: flag(fields, 'isDeclared'),
    nextAt: optional(fields, 'nextAt'),
    lastAt: optional(fields, 'lastAt'),
    lastRunId: optional(fields, 'lastRunId'),
    lastError: optional(fields, 'lastError'),
  };
}

export function workflowRow(fields: Fields): WorkflowRow {
  return {
    workflowId: text(fields, 'workflowId'),
    name: text(fields, 'name'),
    description: text(fields, 'description'),
    versionId: text(fields, 'versionId'),
    createdAt: optional(fields, 'createdAt'),
    taskCount: count(fields, 'taskCount'),
    paused: flag(fields, 'paused'),
    eventKeys: texts(fields, 'eventKeys'),
  };
}

export function workflowDetail(fields: Fields): WorkflowDetail {
  return {
    workflow: workflowRow(fieldsOf(fields['workflow'])),
    tasks: list(fields, 'tasks', (item) => ({
      name: text(item, 'name'),
      parents: texts(item, 'parents'),
      retries: count(item, 'retries'),
      executionTimeout: text(item, 'executionTimeout'),
      scheduleTimeout: text(item, 'scheduleTimeout'),
      durable: flag(item, 'durable'),
    })),
    inputJsonSchema: parseStored(optional(fields, 'inputJsonSchema') ?? undefined),
    defaultPriority: count(fields, 'defaultPriority'),
  };
}

export interface WorkerDetail extends WorkerRow {
  labels: Readonly<Record<string, string>>;
}

const workerStatuses: readonly WorkerStatusName[] = ['ACTIVE', 'INACTIVE', 'PAUSED', 'NOT_ANSWERING'];

export function workerRow(fields: Fields): WorkerDetail {
  const status = text(fields, 'status').replace('WORKER_STATUS_', '');
  return {
    workerId: text(fields, 'workerId'),
    name: text(fields, 'name'),
    status: workerStatuses.find((name) => name === status) ?? 'INACTIVE',
    slots: list(fields, 'slots', (item) => ({
      type: text(item, 'type'),
      total: count(item, 'total'),
      used: count(item, 'used'),
    })),
    actions: texts(fields, 'actions'),
    registeredAt: optional(fields, 'registeredAt'),
    lastHeartbeatAt: optional(fields, 'lastHeartbeatAt'),
    sdk: text(fields, 'sdk'),
    labels: Object.fromEntries(
      Object.entries(fieldsOf(fields['labels'])).map(([name, value]) => [name, String(value)] as const),
    ),
  };
}
