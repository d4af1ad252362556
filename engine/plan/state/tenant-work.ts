import type { ConcurrencyGroup } from '../concurrency/concurrency-group.ts';
import type { ActionQueue } from '../queue/action-queue.ts';
import { type LimitEntry } from '../queue/line.ts';
import { asksBefore } from '../queue/task-order.ts';
import type { PlannerWorker } from '../queue/planner-worker.ts';
import type { RateLimit } from '../rate-limits/rate-limit.ts';
import type { ArrivalLine } from './lists/arrival-line.ts';
import { IndexedHeap, type HeapItem } from './lists/indexed-heap.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** How a worker died. */
export interface WorkerDeath {
  /** Such as `exit code 1`, `SIGKILL` or `no heartbeat for 30 s`. */
  how: string;
  /** Whoever saw its process end has said so: it never comes back. */
  isCertain: boolean;
  /** So many deaths of workers end a task. */
  mostDeaths: number;
}

/** A worker whose tasks leave it, some a transaction. */
export interface LostWorker {
  /** Absent where the tasks do not count it. */
  readonly death: WorkerDeath | undefined;
  /** Whether the worker may still read that its attempts are over. */
  readonly toBeTold: boolean;
  /** It is forgotten once it holds nothing. */
  readonly forget: boolean;
}

/** A line that a limit has called. It has had its turn once it stands in that limit's line no more. */
export interface Call extends HeapItem {
  readonly entry: LimitEntry;
}

/** What becomes of the deadlines of a worker's tasks. */
export interface Standstill {
  /** It is back: they go on, so much later. */
  readonly isOver: boolean;
  readonly shiftUs: number;
}

/**
 * What the commands of one tenant led to and settling has still to see to. What one transaction has no room for stays
 * here, and the next goes on with it. All that is taken out is put back if the transaction is.
 */
export class TenantWork {
  readonly tenantId: TenantId;
  readonly lostWorkers = new Map<PlannerWorker, LostWorker>();
  /** Workers that left or came back, and whose tasks' deadlines do not all stand still, or go on, yet. */
  readonly standstills = new Map<PlannerWorker, Standstill>();
  /** Groups that may have room for one that waits. */
  readonly freed = new Set<ConcurrencyGroup>();
  /** Groups that keep one of those that wait, and may hold more. */
  readonly crowded = new Set<ConcurrencyGroup>();
  /** Tasks that became ready and have requests for places, to be judged. */
  readonly arrivals: ArrivalLine;
  /** Limits whose line has a new first, or that have more units. */
  readonly changedLimits = new Set<RateLimit>();
  /** Lines that limits have called, best first over all limits. */
  readonly calls = new IndexedHeap<Call>((a, b) => asksBefore(a.entry, b.entry));
  /** Queues with a line that may go on. */
  readonly queues = new Set<ActionQueue>();
  /** Workers that may be able to take more than before. */
  readonly workersWithRoom = new Set<PlannerWorker>();

  constructor(tenantId: TenantId, arrivals: ArrivalLine) {
    this.tenantId = tenantId;
    this.arrivals = arrivals;
  }

  get isAdmitting(): boolean {
    return this.freed.size + this.crowded.size + this.arrivals.length > 0;
  }

  get isAssigning(): boolean {
    return this.changedLimits.size + this.calls.size + this.queues.size + this.workersWithRoom.size > 0;
  }

  get isDone(): boolean {
    return !this.isAdmitting && !this.isAssigning && this.lostWorkers.size + this.standstills.size === 0;
  }
}
