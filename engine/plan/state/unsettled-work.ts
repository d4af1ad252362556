import type { ConcurrencyGroup } from '../concurrency/concurrency-group.ts';
import type { ActionQueue } from '../queue/action-queue.ts';
import type { LimitEntry } from '../queue/line.ts';
import type { PlannerWorker } from '../queue/planner-worker.ts';
import type { RateLimit } from '../rate-limits/rate-limit.ts';
import type { TaskLists } from './table/task-lists.ts';
import { TenantWork, type Call, type LostWorker, type Standstill } from './tenant-work.ts';
import type { IndexedHeap } from './lists/indexed-heap.ts';
import type { Restore, UndoLog } from './undo-log.ts';
import type { TaskRow } from './table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** What settling has still to see to, by tenant. */
export class UnsettledWork {
  readonly #undo: UndoLog;
  readonly #lists: TaskLists;
  readonly #byTenant = new Map<TenantId, TenantWork>();
  /** Tenants that have some take turns in this order. */
  readonly #turns = new Set<TenantWork>();

  constructor(options: { undo: UndoLog; lists: TaskLists }) {
    this.#undo = options.undo;
    this.#lists = options.lists;
  }

  get isEmpty(): boolean {
    return this.#turns.size === 0;
  }

  /** Tenants that have some, in the order of their turns. */
  get turns(): Iterable<TenantWork> {
    return this.#turns;
  }

  of(tenantId: TenantId): TenantWork {
    let work = this.#byTenant.get(tenantId);
    if (work === undefined) {
      work = new TenantWork(tenantId, this.#lists.createArrivals());
      this.#byTenant.set(tenantId, work);
    }
    return work;
  }

  /** The tenant has none left. */
  settled(work: TenantWork): void {
    this.#undo.delete(this.#turns, work);
  }

  /** The tenant has had a turn: the others go first in the next transaction, even if this one is taken back. */
  moveBack(work: TenantWork): void {
    this.#turns.delete(work);
    this.#turns.add(work);
  }

  #noted(tenantId: TenantId): TenantWork {
    const work = this.of(tenantId);
    this.#undo.add(this.#turns, work);
    return work;
  }

  /** The task is ready, and its requests for places are to be judged. */
  noteArrival(tenantId: TenantId, row: TaskRow, rank: number): void {
    this.#noted(tenantId).arrivals.push(row, rank, this.#undo);
  }

  /** A place of the group is free, or it has more. */
  noteFreed(group: ConcurrencyGroup): void {
    this.#undo.add(this.#noted(group.tenantId).freed, group);
  }

  /** More of its members wait than its strategy lets stay. */
  noteCrowded(group: ConcurrencyGroup): void {
    this.#undo.add(this.#noted(group.tenantId).crowded, group);
  }

  /** Something in the queue may go on. */
  noteQueue(queue: ActionQueue): void {
    this.#undo.add(this.#noted(queue.tenantId).queues, queue);
  }

  /** The worker may be able to take more than before. */
  noteRoom(worker: PlannerWorker): void {
    this.#undo.add(this.#noted(worker.tenantId).workersWithRoom, worker);
  }

  /** Another is first in the limit's line, or there are more units for it. */
  noteLimit(limit: RateLimit): void {
    if (limit.hasLines) this.#undo.add(this.#noted(limit.tenantId).changedLimits, limit);
  }

  /** The limit has called the line: it has its turn before those that did not wait. */
  noteCall(entry: LimitEntry): void {
    const { calls } = this.#noted(entry.limit.tenantId);
    const call = { entry, at: -1 };
    calls.add(call);
    this.#undo.keep(callNoted, calls, call);
  }

  /** The best of the lines that were called and have not had their turn. */
  firstCall({ calls }: TenantWork): LimitEntry | undefined {
    for (let { first } = calls; first !== undefined; { first } = calls) {
      if (first.entry.line.entry === first.entry) return first.entry;
      calls.remove(first);
      this.#undo.keep(callOver, calls, first);
    }
    return undefined;
  }

  /** The worker is gone: its tasks leave it. */
  noteLost(worker: PlannerWorker, lost: LostWorker): void {
    this.#undo.put(this.#noted(worker.tenantId).lostWorkers, worker, lost);
  }

  /** The worker has left, or is back. */
  noteStandstill(worker: PlannerWorker, standstill: Standstill): void {
    this.#undo.put(this.#noted(worker.tenantId).standstills, worker, standstill);
  }

  /** The worker is forgotten, and takes nothing more. */
  forget(worker: PlannerWorker): void {
    this.of(worker.tenantId).workersWithRoom.delete(worker);
  }
}

const callNoted: Restore<IndexedHeap<Call>, Call> = { restore: (calls, call) => calls.remove(call) };
const callOver: Restore<IndexedHeap<Call>, Call> = { restore: (calls, call) => calls.add(call) };
