import type { BranchPoint } from '../../model/durable/durable.ts';
import { conditionsOf, sleepDueUs, type DurableLog, type DurableNode } from './durable-log.ts';
import { TimerHeap } from '../timers/timer-heap.ts';

/** The node of a durable task that a child run's end satisfies. */
export interface ChildLink {
  parentTaskId: string;
  branch: number;
  node: number;
}

/** A sleep condition of a log in memory. */
export interface DueSleep {
  readonly dueUs: number;
  readonly row: number;
  readonly log: DurableLog;
  readonly node: DurableNode;
  readonly index: number;
}

/** What a shard remembers of durable tasks beside their rows of the task table. */
export class DurableIndex {
  /** By task row, the logs of those that are on a worker. */
  readonly #logs = new Map<number, { log: DurableLog; tenantId: string }>();
  /** By task row, the branch points of those tasks that have some, oldest first. */
  readonly branches = new Map<number, readonly BranchPoint[]>();
  /** By run, the unfinished children of durable tasks. */
  readonly children = new Map<string, ChildLink>();
  /** By tenant and event key, the rows whose logs listen, and with how many conditions. */
  readonly #listeners = new Map<string, Map<number, number>>();
  /** An entry counts while its log is the one in memory, its node is in the log (a transaction that was taken back made another), and it is open. */
  readonly sleeps = new TimerHeap<DueSleep>(
    ({ row, log, node, index }) =>
      this.#logs.get(row)?.log === log && log.holds(node) && node.result === null && (node.met[index] ?? null) === null,
  );
  #dropped = 0;
  /** A durable task of the shard has waited for an event: one that sleeps may still. */
  listens = false;
  /** Rows whose invocation began here without its log: it has asked for nothing yet. */
  readonly unread = new Set<number>();
  /** Rows whose logs were read for a transaction, to be forgotten after it unless they run. */
  readonly loaded = new Set<number>();

  log(row: number): DurableLog | undefined {
    return this.#logs.get(row)?.log;
  }

  /** Brings a log into memory, with what its open waits wait for. */
  hold(row: number, tenantId: string, log: DurableLog): void {
    this.#logs.set(row, { log, tenantId });
    for (const node of log.openWaits()) this.watch(row, tenantId, log, node);
  }

  drop(row: number): void {
    const held = this.#logs.get(row);
    if (held === undefined) return;
    for (const node of held.log.openWaits()) this.ignore(row, held.tenantId, node);
    this.#logs.delete(row);
    // Sleeps of days would keep the log in the heap for days.
    if (++this.#dropped * 2 > this.sleeps.size) {
      this.sleeps.compact();
      this.#dropped = 0;
    }
  }

  branchOf(row: number): number {
    return this.branches.get(row)?.at(-1)?.branch ?? 1;
  }

  /** Its sleeps go to the heap, its events to the listeners. */
  watch(row: number, tenantId: string, log: DurableLog, node: DurableNode): void {
    for (const [index, condition] of conditionsOf(node).entries()) {
      if (condition.kind === 'sleep') this.watchSleep(row, log, node, index);
      else {
        this.listens = true;
        this.#count(`${tenantId} ${condition.eventKey}`, row, 1);
      }
    }
  }

  watchSleep(row: number, log: DurableLog, node: DurableNode, index: number): void {
    const condition = conditionsOf(node)[index];
    if (condition?.kind === 'sleep') this.sleeps.push({ dueUs: sleepDueUs(node, condition), row, log, node, index });
  }

  /** Its sleeps stay in the heap, where nobody believes them any more. */
  ignore(row: number, tenantId: string, node: DurableNode): void {
    for (const condition of conditionsOf(node))
      if (condition.kind === 'event') this.#count(`${tenantId} ${condition.eventKey}`, row, -1);
  }

  /** The rows whose logs in memory listen for the key, in the order in which they began to. */
  listeners(tenantId: string, key: string): number[] {
    return [...(this.#listeners.get(`${tenantId} ${key}`)?.keys() ?? [])];
  }

  #count(key: string, row: number, by: 1 | -1): void {
    const rows = this.#listeners.get(key) ?? new Map<number, number>();
    const count = (rows.get(row) ?? 0) + by;
    if (count > 0) rows.set(row, count);
    else rows.delete(row);
    if (rows.size > 0) this.#listeners.set(key, rows);
    else this.#listeners.delete(key);
  }
}
