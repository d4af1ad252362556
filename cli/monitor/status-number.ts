import { RunStatus, WorkerStatus } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import type { RunStatusName, WorkerStatusName } from '../status-name.ts';

const names: Readonly<Record<RunStatus, RunStatusName>> = {
  [RunStatus.RUN_STATUS_UNSPECIFIED]: 'QUEUED',
  [RunStatus.RUN_STATUS_QUEUED]: 'QUEUED',
  [RunStatus.RUN_STATUS_RUNNING]: 'RUNNING',
  [RunStatus.RUN_STATUS_COMPLETED]: 'COMPLETED',
  [RunStatus.RUN_STATUS_FAILED]: 'FAILED',
  [RunStatus.RUN_STATUS_CANCELLED]: 'CANCELLED',
  [RunStatus.RUN_STATUS_EVICTED]: 'EVICTED',
};

const numbers: Readonly<Record<RunStatusName, RunStatus>> = {
  QUEUED: RunStatus.RUN_STATUS_QUEUED,
  RUNNING: RunStatus.RUN_STATUS_RUNNING,
  COMPLETED: RunStatus.RUN_STATUS_COMPLETED,
  FAILED: RunStatus.RUN_STATUS_FAILED,
  CANCELLED: RunStatus.RUN_STATUS_CANCELLED,
  EVICTED: RunStatus.RUN_STATUS_EVICTED,
};

export function statusName(status: RunStatus): RunStatusName {
  return names[status];
}

export function statusNumber(name: RunStatusName): RunStatus {
  return numbers[name];
}

export function workerStatusName(status: WorkerStatus): WorkerStatusName {
  if (status === WorkerStatus.WORKER_STATUS_ACTIVE) return 'ACTIVE';
  if (status === WorkerStatus.WORKER_STATUS_NOT_ANSWERING) return 'NOT_ANSWERING';
  return status === WorkerStatus.WORKER_STATUS_PAUSED ? 'PAUSED' : 'INACTIVE';
}
