import { RunStatus, type TerminalStatus } from './status.ts';

/** A finished run of many tasks: failed if any failed, else cancelled if any was cancelled, else completed. */
export function runOutcome(tasks: Iterable<TerminalStatus>): TerminalStatus {
  let outcome: TerminalStatus = RunStatus.Completed;
  for (const status of tasks) {
    if (status === RunStatus.Failed) return RunStatus.Failed;
    if (status === RunStatus.Cancelled) outcome = RunStatus.Cancelled;
  }
  return outcome;
}
