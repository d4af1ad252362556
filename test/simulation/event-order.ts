import { EntryKind } from '../../engine/model/durable/durable.ts';
import { Transaction } from './store/transaction.ts';
import type { JudgedSurroundings } from './surroundings.ts';

interface Sent {
  readonly tenantId: string;
  readonly key: string;
  readonly calledMs: number;
  /** When whoever pushed it was told that it is stored. */
  storedMs: number;
}

/**
 * Which event a durable task's wait was given: none that was stored before the wait, and of those that were pushed one after
 * the other, each once the one before was stored, the first.
 */
export class EventOrder {
  readonly #world: JudgedSurroundings;
  /** By the number in their payloads. */
  readonly #sent: Sent[] = [];
  /** When a node was first seen to be stored. */
  readonly #askedMs = new Map<string, number>();
  /** Nodes that were seen with the very transaction that stored them. */
  readonly #fresh = new Set<string>();
  readonly #judged = new Set<string>();

  constructor(world: JudgedSurroundings) {
    this.#world = world;
  }

  /** @returns the number that goes into its payload */
  called(tenantId: string, key: string): number {
    this.#sent.push({ tenantId, key, calledMs: this.#world.scheduler.nowMs, storedMs: Infinity });
    return this.#sent.length - 1;
  }

  stored(number: number): void {
    const sent = this.#sent[number];
    if (sent !== undefined) sent.storedMs = this.#world.scheduler.nowMs;
  }

  /** Looks at tasks whose logs have changed. @param nodes rows that a transaction has stored. @returns what is wrong */
  look(nodes: readonly { taskId: string }[]): string | undefined {
    for (const row of nodes)
      if ('fingerprint' in row && 'branch' in row && 'node' in row)
        this.#fresh.add(`${row.taskId} ${String(row.branch)} ${String(row.node)}`);
    for (const taskId of new Set(nodes.map((row) => row.taskId))) {
      const why = this.#lookAt(taskId);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  #lookAt(taskId: string): string | undefined {
    const { store, scheduler, storeUs } = this.#world;
    const at = new Transaction(storeUs);
    for (const { branch, node, kind } of store.tables.durable_entry.find(at, 'task_id', taskId)) {
      if (kind !== EntryKind.Wait) continue;
      const place = `${taskId} ${branch} ${node}`;
      const askedMs = this.#askedMs.get(place) ?? scheduler.nowMs;
      this.#askedMs.set(place, askedMs);
      const result = store.tables.durable_result.get(at, taskId, branch, node, -1);
      if (result === undefined || this.#judged.has(place)) continue;
      this.#judged.add(place);
      // One that has ended, and runs again, listened to nothing in between.
      if (store.tables.live.get(at, taskId)?.generation !== 1) continue;
      const given = /"n":(\d+)/.exec(result.payload ?? '')?.[1];
      if (given === undefined) continue;
      if (this.#fresh.has(place) && (this.#sent[Number(given)]?.storedMs ?? Infinity) < askedMs)
        return `node ${place} was given event ${given}, which was stored before it`;
      const before = this.#overtaken(Number(given), askedMs);
      if (before !== undefined) return `node ${place} was given event ${given}, and event ${before} came before it`;
    }
    return undefined;
  }

  /** An event of the same key that was stored before this one was pushed, and pushed after the wait was stored. */
  #overtaken(number: number, askedMs: number): number | undefined {
    const given = this.#sent[number];
    if (given === undefined) return undefined;
    const before = this.#sent.findIndex(
      ({ tenantId, key, calledMs, storedMs }) =>
        tenantId === given.tenantId && key === given.key && calledMs > askedMs && storedMs < given.calledMs,
    );
    return before < 0 ? undefined : before;
  }
}
