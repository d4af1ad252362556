import type { BranchPoint } from '../../model/durable/durable.ts';
import type { Restore, UndoLog } from '../state/undo-log.ts';
import { TimerHeap } from '../timers/timer-heap.ts';
import type { InvocationProgress } from './invocation-progress.ts';
import { conditionsOf, type DurableLog, type DurableNode } from './durable-log.ts';
import { sleepDueUs } from './durable-sleep.ts';
import type { TaskRow } from '../state/table/rows.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** The node of a durable task that a child run's end satisfies. */
export interface ChildLink {
  parentTaskId: string;
  branch: number;
  node: number;
}

/** A durable task whose log is in memory. */
export interface DurableTask {
  readonly row: TaskRow;
  readonly tenantId: TenantId;
  /** What is stored. */
  readonly log: DurableLog;
  /** What its present invocation knows of that. */
  readonly delivery: InvocationProgress;
}

/** A sleep condition of a log in memory. */
export interface DueSleep {
  readonly dueUs: number;
  readonly task: DurableTask;
  readonly node: DurableNode;
  readonly index: number;
}

/** What a shard remembers of durable tasks beside their rows of the task table. */
export class DurableIndex {
  /** By task row, those that are on a worker. */
  readonly #tasks = new Map<TaskRow, DurableTask>();
  /** By task row, the branch points of those tasks that have some, oldest first. */
  readonly branches = new Map<TaskRow, readonly BranchPoint[]>();
  /** By run, the unfinished children of durable tasks. */
  readonly children = new Map<string, ChildLink>();
  /** By tenant and event key, the rows whose logs listen, and with how many conditions. */
  readonly #listeners = new Map<TenantId, Map<string, Map<TaskRow, number>>>();
  /** An entry counts while its log is the one in memory, its node is in the log (a transaction that was taken back made another), and it is open. */
  readonly sleeps = new TimerHeap<DueSleep>(
    ({ task, node, index }) =>
      this.#tasks.get(task.row) === task &&
      task.log.holds(node) &&
      node.result === null &&
      (node.met[index] ?? null) === null,
  );
  #dropped = 0;
  /** A durable task of the shard has waited for an event: one that sleeps may still. */
  listens = false;
  /** Rows whose invocation began here without its log: it has asked for nothing yet. */
  readonly unread = new Set<TaskRow>();
  /** Rows whose logs were read for a transaction, to be forgotten after it unless they run. */
  readonly loaded = new Set<TaskRow>();

  task(row: TaskRow): DurableTask | undefined {
    return this.#tasks.get(row);
  }

  /** Brings a task's log into memory, with what its open waits wait for. */
  hold(task: DurableTask): void {
    this.#tasks.set(task.row, task);
    for (const node of task.log.openWaits()) this.watch(task, node);
  }

  drop(row: TaskRow): void {
    const held = this.#tasks.get(row);
    if (held === undefined) return;
    for (const node of held.log.openWaits()) this.ignore(held, node);
    this.#tasks.delete(row);
    // Sleeps of days would keep the log in the heap for days.
    if (++this.#dropped * 2 > this.sleeps.size) {
      this.sleeps.compact();
      this.#dropped = 0;
    }
  }

  /** Another log, or none, takes the place of the row's. */
  exchange(row: TaskRow, task: DurableTask | undefined, undo: UndoLog): void {
    undo.keep(this.#exchanged, row, this.#tasks.get(row));
    this.drop(row);
    if (task !== undefined) this.hold(task);
  }

  readonly #exchanged: Restore<TaskRow, DurableTask | undefined> = {
    restore: (row, before) => {
      this.drop(row);
      if (before !== undefined) this.hold(before);
    },
  };

  branchOf(row: TaskRow): number {
    return this.branches.get(row)?.at(-1)?.branch ?? 1;
  }

  /** Its sleeps go to the heap, its events to the listeners. */
  watch(task: DurableTask, node: DurableNode): void {
    const conditions = conditionsOf(node);
    if (conditions.length === 0) return;
    for (const [index, condition] of conditions.entries()) {
      if (condition.kind === 'sleep') this.watchSleep(task, node, index);
      else {
        this.listens = true;
        this.#count(task, condition.eventKey, 1);
      }
    }
  }

  watchSleep(task: DurableTask, node: DurableNode, index: number): void {
    const condition = conditionsOf(node)[index];
    if (condition?.kind === 'sleep') this.sleeps.push({ dueUs: sleepDueUs(node, condition), task, node, index });
  }

  /** Its sleeps stay in the heap, where nobody believes them any more. */
  ignore(task: DurableTask, node: DurableNode): void {
    for (const condition of conditionsOf(node))
      if (condition.kind === 'event') this.#count(task, condition.eventKey, -1);
  }

  /** The tasks whose logs in memory listen for the key, in the order in which they began to. */
  listeners(tenantId: TenantId, key: string): DurableTask[] {
    const tasks: DurableTask[] = [];
    for (const row of this.#listeners.get(tenantId)?.get(key)?.keys() ?? []) {
      const task = this.#tasks.get(row);
      if (task !== undefined) tasks.push(task);
    }
    return tasks;
  }

  /** How many tasks in memory listen for the key. */
  listenerCount(tenantId: TenantId, key: string): number {
    return this.#listeners.get(tenantId)?.get(key)?.size ?? 0;
  }

  #count({ tenantId, row }: DurableTask, key: string, by: 1 | -1): void {
    const keys = this.#listeners.get(tenantId) ?? new Map<string, Map<TaskRow, number>>();
    const rows = keys.get(key) ?? new Map<TaskRow, number>();
    const count = (rows.get(row) ?? 0) + by;
    if (count > 0) rows.set(row, count);
    else rows.delete(row);
    if (rows.size > 0) keys.set(key, rows);
    else keys.delete(key);
    if (keys.size > 0) this.#listeners.set(tenantId, keys);
    else this.#listeners.delete(tenantId);
  }
}
