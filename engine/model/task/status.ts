/** What people see of a run or a task. The numbers are stored in `result` and `run_end`, and are the monitor's. */
export const RunStatus = {
  Queued: 1,
  Running: 2,
  Completed: 3,
  Failed: 4,
  Cancelled: 5,
  Evicted: 6,
} as const;
export type RunStatus = (typeof RunStatus)[keyof typeof RunStatus];

export type TerminalStatus = typeof RunStatus.Completed | typeof RunStatus.Failed | typeof RunStatus.Cancelled;

export const runStatusNames = {
  1: 'QUEUED',
  2: 'RUNNING',
  3: 'COMPLETED',
  4: 'FAILED',
  5: 'CANCELLED',
  6: 'EVICTED',
} as const satisfies Record<RunStatus, string>;

export function isRunStatus(value: number): value is RunStatus {
  return value >= 1 && value <= 6 && Number.isInteger(value);
}

export function isTerminal(status: RunStatus): status is TerminalStatus {
  return status === RunStatus.Completed || status === RunStatus.Failed || status === RunStatus.Cancelled;
}
