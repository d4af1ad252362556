import type { ConcurrencyGroup } from '../concurrency/concurrency-group.ts';
import type { ActionQueue } from '../queue/action-queue.ts';
import type { PlannerWorker } from '../queue/planner-worker.ts';
import type { RateLimit } from '../rate-limits/rate-limit.ts';
import type { TaskLists } from './task-lists.ts';
import { TenantWork, type LostWorker } from './tenant-work.ts';
import type { UndoLog } from './undo-log.ts';

/** What settling has still to see to, by tenant. */
export class UnsettledWork {
  readonly #undo: UndoLog;
  readonly #lists: TaskLists;
  readonly #byTenant = new Map<string, TenantWork>();
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

  of(tenantId: string): TenantWork {
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

  #noted(tenantId: string): TenantWork {
    const work = this.of(tenantId);
    this.#undo.add(this.#turns, work);
    return work;
  }

  /** The task is ready, and its requests for places are to be judged. */
  noteArrival(tenantId: string, row: number, rank: number): void {
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

  /** The worker is gone: its tasks leave it. */
  noteLost(worker: PlannerWorker, lost: LostWorker): void {
    this.#undo.put(this.#noted(worker.tenantId).lostWorkers, worker, lost);
  }

  /** The worker is forgotten, and takes nothing more. */
  forget(worker: PlannerWorker): void {
    this.of(worker.tenantId).workersWithRoom.delete(worker);
  }
}
