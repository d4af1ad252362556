import { HatchetError } from '../../base/errors.ts';
import type { Checked } from '../../model/checked.ts';
import { parseUuid } from '../../model/ids/uuid.ts';
import type { Version } from '../../plan/state/workflow-version.ts';

/**
 * The worker that a run asks for, as the child of a sticky workflow asks for its parent's.
 * @returns null for none, and for what is no id
 * @throws HatchetError INVALID_ARGUMENT where the workflow is not sticky
 */
export function desiredWorker({ definition }: Version, workerId: string | undefined): Checked<string> | null {
  const desired = parseUuid(workerId ?? '') ?? null;
  if (desired !== null && definition.sticky === null)
    throw new HatchetError(
      'INVALID_ARGUMENT',
      `workflow ${definition.name} has no sticky strategy, so a run of it cannot keep to a worker`,
      { remedy: 'Give the workflow a sticky strategy, or leave sticky out of the call.' },
    );
  return desired;
}
