import { HatchetError } from '../base/errors.ts';
import { idTimeMs, uuidTimeMs } from '../model/ids/uuid.ts';
import type { Command } from '../plan/commands/command.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import { dayOf, dayMs } from '../postgres/schema/day-partitions.ts';

/** What expires so soon is not taken up any more: longer than a command is under way before its commit. */
const marginMs = 3_600_000;

/**
 * Refuses what would make an ended run unfinished again whose day is being dropped, or soon will be: the retention has
 * looked already for what it has to keep.
 */
export class RetentionBound {
  readonly #retentionDays: number;

  constructor(retentionDays: number) {
    this.#retentionDays = retentionDays;
  }

  /** @throws HatchetError UNKNOWN_RUN */
  check(state: ShardState, command: Command): void {
    const ids = command.kind === 'replay' ? command.ids : command.kind === 'durableBranch' ? [command.taskId] : [];
    const expired = ids.find((id) => this.#isExpiring(id) && !isUnfinished(state, id));
    if (expired === undefined) return;
    throw new HatchetError(
      'UNKNOWN_RUN',
      `${expired} is older than the ${this.#retentionDays} days for which runs are kept, and is being removed`,
      { remedy: 'Trigger it anew.' },
    );
  }

  #isExpiring(id: string): boolean {
    return uuidTimeMs(id) < (dayOf(idTimeMs() + marginMs) - this.#retentionDays) * dayMs;
  }
}

function isUnfinished(state: ShardState, id: string): boolean {
  return state.runsById.has(id) || state.tasks.find(id) !== undefined;
}
