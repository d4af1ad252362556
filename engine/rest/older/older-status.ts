import type { OlderStatus } from '../../../proto/gen/rest/answers.ts';
import { invalid, quoted } from '../../edge/parse/invalid.ts';
import { RunStatus } from '../../model/task/status.ts';

/** The names that the older part of the contract has for our statuses. */
export const olderStatus: Record<RunStatus, OlderStatus> = {
  [RunStatus.Queued]: 'PENDING',
  [RunStatus.Running]: 'RUNNING',
  [RunStatus.Completed]: 'SUCCEEDED',
  [RunStatus.Failed]: 'FAILED',
  [RunStatus.Cancelled]: 'CANCELLED',
  [RunStatus.Evicted]: 'RUNNING',
};

/** BACKOFF is no status here: a run whose task waits for its retry has begun, and runs. */
const statusesOf: Readonly<Record<string, readonly RunStatus[]>> = {
  PENDING: [RunStatus.Queued],
  QUEUED: [RunStatus.Queued],
  RUNNING: [RunStatus.Running, RunStatus.Evicted],
  BACKOFF: [],
  SUCCEEDED: [RunStatus.Completed],
  FAILED: [RunStatus.Failed],
  CANCELLED: [RunStatus.Cancelled],
};

/** Our statuses of those names. @throws HatchetError INVALID_ARGUMENT */
export function statusesNamed(names: readonly string[]): RunStatus[] {
  const found = names.flatMap((name) => {
    const known = Object.hasOwn(statusesOf, name) ? statusesOf[name] : undefined;
    if (known === undefined)
      throw invalid(`${quoted(name)} is not a status`, `Use ${Object.keys(statusesOf).join(', ')}.`);
    return known;
  });
  return [...new Set(found)];
}
