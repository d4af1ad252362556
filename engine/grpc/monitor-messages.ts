import type { Cause } from '../figures/why.ts';
import { HatchetError } from '../base/errors.ts';
import { shownLabels } from '../model/task/worker-labels.ts';
import { parseMismatch } from '../model/durable/mismatch-text.ts';
import { splitError } from '../model/payload/split-error.ts';
import { RunStatus as Status } from '../model/task/status.ts';
import { uuidTimeMs } from '../model/ids/uuid.ts';
import type { WorkflowHead } from '../monitor/definition-reads.ts';
import type { JournalEvent } from '../monitor/journal/journal-reads.ts';
import type { LogLine as StoredLogLine } from '../monitor/lines/log-reads.ts';
import type { TaskDetail as StoredTask } from '../monitor/runs/run-detail.ts';
import type { RunSummary as StoredRun } from '../monitor/runs/run-list.ts';
import type { StoredWorker } from '../monitor/worker-reads.ts';
import type { PlannerWorker } from '../plan/queue/planner-worker.ts';
import {
  RunStatus,
  WorkerStatus,
  type LogLine,
  type RunEvent,
  type RunSummary,
  type TaskDetail,
  type WorkerSummary,
  type WorkflowSummary,
} from '../../proto/gen/hatchet/monitor/v1/monitor.ts';

const statuses = {
  [Status.Queued]: RunStatus.RUN_STATUS_QUEUED,
  [Status.Running]: RunStatus.RUN_STATUS_RUNNING,
  [Status.Completed]: RunStatus.RUN_STATUS_COMPLETED,
  [Status.Failed]: RunStatus.RUN_STATUS_FAILED,
  [Status.Cancelled]: RunStatus.RUN_STATUS_CANCELLED,
  [Status.Evicted]: RunStatus.RUN_STATUS_EVICTED,
} as const;

export function statusMessage(status: Status): RunStatus {
  return statuses[status];
}

export function fromRunStatus(status: RunStatus): Status {
  switch (status) {
    case RunStatus.RUN_STATUS_QUEUED:
      return Status.Queued;
    case RunStatus.RUN_STATUS_RUNNING:
      return Status.Running;
    case RunStatus.RUN_STATUS_COMPLETED:
      return Status.Completed;
    case RunStatus.RUN_STATUS_FAILED:
      return Status.Failed;
    case RunStatus.RUN_STATUS_CANCELLED:
      return Status.Cancelled;
    case RunStatus.RUN_STATUS_EVICTED:
      return Status.Evicted;
    case RunStatus.RUN_STATUS_UNSPECIFIED:
      throw new HatchetError('INVALID_ARGUMENT', 'a status filter is unspecified', {
        remedy: 'Leave it out to see every status.',
      });
  }
}

/** As the wire has it: absent where nothing was left out. */
export function leftOutBytes(bytes: number): number | undefined {
  return bytes === 0 ? undefined : bytes;
}

function date(us: number | null): Date | undefined {
  return us === null ? undefined : new Date(us / 1000);
}

export function runSummaryMessage(run: StoredRun): RunSummary {
  return {
    runId: run.id,
    workflowId: run.workflowId,
    workflowName: run.workflowName,
    status: statuses[run.status],
    createdAt: new Date(uuidTimeMs(run.id)),
    startedAt: date(run.startedUs),
    finishedAt: date(run.finishedUs),
    additionalMetadata: run.metadata,
    priority: run.priority,
    taskCount: run.taskCount,
    parentRunId: run.parentTaskId ?? undefined,
    errorMessage: splitError(run.error).message,
    metadataLeftOutBytes: leftOutBytes(run.metadataLeftOut),
    errorLeftOutBytes: leftOutBytes(run.errorLeftOut),
  };
}

export function taskDetailMessage(task: StoredTask, runId: string, cause?: Cause): TaskDetail {
  const error = splitError(task.error);
  return {
    taskId: task.id,
    name: task.name,
    action: task.action,
    status: statuses[task.status],
    parents: task.parents,
    attempt: task.attempt,
    retries: task.retries,
    workerId: task.workerId ?? undefined,
    workerName: task.workerName ?? undefined,
    output: task.output ?? undefined,
    errorMessage: error.message,
    errorStack: error.stack,
    outputLeftOutBytes: leftOutBytes(task.outputLeftOut),
    errorLeftOutBytes: leftOutBytes(task.errorLeftOut),
    createdAt: new Date(uuidTimeMs(runId)),
    queuedAt: date(task.queuedUs),
    startedAt: date(task.startedUs),
    finishedAt: date(task.finishedUs),
    durable: task.durable,
    liveState: task.liveState,
    cause:
      cause === undefined
        ? undefined
        : {
            code: cause.code,
            text: cause.text,
            until: cause.untilUs === null ? undefined : new Date(cause.untilUs / 1000),
            ids: [...cause.ids],
          },
  };
}

export function runEventMessage(event: JournalEvent): RunEvent {
  return {
    cursor: event.cursor,
    time: new Date(event.timeUs / 1000),
    runId: event.runId,
    workflowName: event.workflowName,
    taskId: event.ofRun ? '' : event.taskId,
    taskName: event.ofRun ? '' : event.stepName,
    attempt: event.attempt,
    type: event.type,
    status: event.status === undefined ? RunStatus.RUN_STATUS_UNSPECIFIED : statuses[event.status],
    message: event.message,
    workerId: event.workerId ?? undefined,
    mismatch: event.transition === 'FAILED' ? parseMismatch(event.message) : undefined,
  };
}

export function logLineMessage(line: StoredLogLine): LogLine {
  return {
    cursor: line.cursor,
    time: new Date(line.atMs),
    taskId: line.taskId,
    taskName: line.stepName,
    attempt: line.attempt,
    level: line.level,
    message: line.message,
    metadata: line.metadata,
  };
}

export function workflowMessage(workflow: WorkflowHead): WorkflowSummary {
  return {
    workflowId: workflow.id,
    name: workflow.name,
    description: workflow.description,
    versionId: workflow.versionId,
    createdAt: new Date(workflow.updatedAtMs),
    taskCount: workflow.taskCount,
    paused: workflow.isPaused,
    eventKeys: [...workflow.eventKeys],
  };
}

function workerStatus(stored: StoredWorker, planned: PlannerWorker | undefined): WorkerStatus {
  if (planned?.assignable !== true || (stored.ended && !stored.paused)) return WorkerStatus.WORKER_STATUS_INACTIVE;
  if (planned.isBlocked) return WorkerStatus.WORKER_STATUS_NOT_ANSWERING;
  return stored.paused ? WorkerStatus.WORKER_STATUS_PAUSED : WorkerStatus.WORKER_STATUS_ACTIVE;
}

/** Stored facts, with what memory knows better: slots in use and whether it is alive now. */
export function workerMessage(
  stored: StoredWorker,
  planned: PlannerWorker | undefined,
  heardAgoMs: number | undefined,
): WorkerSummary {
  return {
    workerId: stored.id,
    name: stored.name,
    status: workerStatus(stored, planned),
    actions: stored.actions,
    actionsLeftOutBytes: leftOutBytes(stored.actionsLeftOut),
    slots: Object.entries(stored.slots).map(([type, total]) => ({ type, total, used: planned?.used.get(type) ?? 0 })),
    labels: Object.fromEntries(Object.entries(shownLabels(stored.labels)).map(([key, value]) => [key, String(value)])),
    registeredAt: new Date(stored.registeredAtMs),
    lastHeartbeatAt:
      heardAgoMs !== undefined
        ? new Date(Date.now() - heardAgoMs)
        : stored.lastHeartbeatAtMs === null
          ? undefined
          : new Date(stored.lastHeartbeatAtMs),
    sdk: [stored.runtime['language']?.toLowerCase(), stored.runtime['sdkVersion']]
      .filter((part) => part !== undefined)
      .join(' '),
  };
}
