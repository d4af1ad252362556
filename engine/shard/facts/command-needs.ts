import type { Needs } from '../../plan/commands/command-kind.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';
import type { Job } from '../job.ts';

/** A command that is about to be planned, and what it needs for it. */
export interface Asking {
  readonly job: Job;
  readonly state: ShardState;
  readonly needs: Needs;
}
