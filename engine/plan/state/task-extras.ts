import type { Demands } from '../../model/demands.ts';
import type { Claim } from '../concurrency/concurrency-group.ts';

/** What only some tasks have; the others cost nothing. */
export interface TaskExtras {
  readonly demands: Demands;
  /** Order of its trigger among the shard's. */
  readonly order: number;
  /** Shared by the tasks of a run. */
  readonly runClaim: Claim | null;
  readonly taskClaim: Claim | null;
  /** Key of the last round-robin link; '' without one. Keys take turns in the queue. */
  readonly ringKey: string;
  /** Where the run's first task ran, once it is known, under a sticky strategy; or where the caller asked. */
  stickyWorkerId: string | null;
  /** Of its share in its batch's message. */
  batchBytes: number;
  /** Since when it gathers with others of its batch. */
  gatheredUs: number;
}

/** As stored in `live.demands`. */
export interface StoredDemands extends Demands {
  order: number;
}
