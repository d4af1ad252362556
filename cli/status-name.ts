export const runStatuses = ['QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'EVICTED'] as const;
export type RunStatusName = (typeof runStatuses)[number];

export function isTerminal(status: RunStatusName): boolean {
  return status === 'COMPLETED' || status === 'FAILED' || status === 'CANCELLED';
}

export function isRunStatus(text: string): text is RunStatusName {
  return runStatuses.some((name) => name === text);
}

export type WorkerStatusName = 'ACTIVE' | 'INACTIVE' | 'PAUSED' | 'NOT_ANSWERING';

/** As people read it. */
export function workerStatusText(status: WorkerStatusName): string {
  return status === 'NOT_ANSWERING' ? 'does not answer' : status;
}
