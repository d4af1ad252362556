import type { HistoryRow, ResultRow } from '../model/stored-rows.ts';
import type { Effect } from '../model/task/effect.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import type { OpenAttempt } from './recovery/open-attempts.ts';

/** What a transaction stored, beside the journal. */
export interface CommittedRows {
  /** Of durable tasks' logs: those that were asked or satisfied. */
  readonly nodes: readonly { readonly taskId: string }[];
  /** Of tasks that ended. */
  readonly results: readonly ResultRow[];
}

/** What the owner tells the rest of the engine. Called in commit order, never for what did not commit. What a listener throws is logged. */
export interface OwnerEvents {
  /** Crons or schedules may be due. */
  timersDue(state: ShardState, nowUs: number): void;
  committed(effects: readonly Effect[], history: readonly HistoryRow[], rest: CommittedRows): void;
  /** These shards are served from now on, whatever becomes of others. */
  recovered(open: readonly OpenAttempt[], states: readonly ShardState[]): void;
  /** Everything said about these shards is void: another process owns them, or this one recovers them anew. */
  lost(states: readonly ShardState[]): void;
  /** Other engines have these from now on, and take calls for them. */
  moved(shards: readonly number[]): void;
  /** These shards are about to go to other engines. Resolves once all that was assigned there is on its way to its worker. */
  dispatched(shards: readonly number[]): Promise<void>;
}
