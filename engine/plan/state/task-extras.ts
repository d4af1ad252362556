import type { Demands } from '../../model/task/demands.ts';
import type { PlaceRequest } from '../concurrency/concurrency-group.ts';
import type { SharedDemands } from './shared-demands.ts';

/** What only some tasks have; the others cost nothing. A million of these may wait: what equals another's is shared. */
export class TaskExtras {
  readonly shared: SharedDemands;
  /** Shared by the tasks of a run. */
  readonly runRequest: PlaceRequest | null;
  readonly taskRequest: PlaceRequest | null;
  /** What is neither null nor 0 of the three below: nearly no task has any. */
  #rare: { stickyWorkerId: string | null; batchBytes: number; gatheredUs: number } | undefined;

  constructor(shared: SharedDemands, requests: { runRequest: PlaceRequest | null; taskRequest: PlaceRequest | null }) {
    this.shared = shared;
    this.runRequest = requests.runRequest;
    this.taskRequest = requests.taskRequest;
    if (shared.demands.desiredWorkerId !== null) this.stickyWorkerId = shared.demands.desiredWorkerId;
  }

  /** Where the run's first task ran, once it is known, under a sticky strategy; or where the caller asked. */
  get stickyWorkerId(): string | null {
    return this.#rare?.stickyWorkerId ?? null;
  }

  set stickyWorkerId(value: string | null) {
    this.#rare = { stickyWorkerId: value, batchBytes: this.batchBytes, gatheredUs: this.gatheredUs };
  }

  /** Of its share in its batch's message. */
  get batchBytes(): number {
    return this.#rare?.batchBytes ?? 0;
  }

  set batchBytes(value: number) {
    this.#rare = { stickyWorkerId: this.stickyWorkerId, batchBytes: value, gatheredUs: this.gatheredUs };
  }

  /** Since when it gathers with others of its batch. */
  get gatheredUs(): number {
    return this.#rare?.gatheredUs ?? 0;
  }

  set gatheredUs(value: number) {
    this.#rare = { stickyWorkerId: this.stickyWorkerId, batchBytes: this.batchBytes, gatheredUs: value };
  }

  get demands(): Demands {
    return this.shared.demands;
  }

  /** Key of the last round-robin link; '' without one. Keys take turns in the queue. */
  get turnKey(): string {
    return this.shared.turnKey;
  }

  /** Order of its trigger among the shard’s, which only requests for places need. */
  get order(): number {
    return (this.taskRequest ?? this.runRequest)?.order ?? 0;
  }
}

/** As stored in `live.demands`. */
export interface StoredDemands extends Demands {
  order: number;
}
