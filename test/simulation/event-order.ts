import { EntryKind } from '../../engine/model/durable/durable.ts';
import { Transaction } from './store/transaction.ts';
import type { JudgedSurroundings } from './surroundings.ts';
import type { TenantId } from '../../engine/model/ids/tenant-id.ts';

/** Between which two looks something was stored. */
interface Stored {
  /** The last at which it was not there. */
  after: number;
  /** The first at which it was. */
  by: number;
}

interface Sent extends Stored {
  readonly tenantId: TenantId;
  readonly key: string;
}

/** Which event a durable task's wait was given: the first of its key that was stored after it. */
export class EventOrder {
  readonly #world: JudgedSurroundings;
  /** By the number in their payloads. */
  readonly #sent: Sent[] = [];
  /** Of `#sent`, those that have not been seen in the store. */
  readonly #unseen = new Set<Sent>();
  readonly #seenEvents = new Set<string>();
  readonly #nodes = new Map<string, Stored>();
  readonly #judged = new Set<string>();
  #looks = 0;

  constructor(world: JudgedSurroundings) {
    this.#world = world;
  }

  /** An event is about to be pushed. @returns the number that goes into its payload */
  called(tenantId: TenantId, key: string): number {
    const sent = { tenantId, key, after: this.#looks, by: Infinity };
    this.#unseen.add(sent);
    return this.#sent.push(sent) - 1;
  }

  /** After a transaction. @param nodes rows of durable logs that it has stored. @returns what is wrong */
  look(nodes: readonly { taskId: string }[]): string | undefined {
    this.#looks++;
    const at = new Transaction(this.#world.storeUs);
    this.#lookForEvents(at);
    const fresh = new Set<string>();
    for (const row of nodes)
      if ('fingerprint' in row && 'branch' in row && 'node' in row)
        fresh.add(`${row.taskId} ${String(row.branch)} ${String(row.node)}`);
    for (const taskId of new Set(nodes.map((row) => row.taskId))) {
      const why = this.#lookAt(at, taskId, fresh);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  #lookForEvents(at: Transaction): void {
    if (this.#unseen.size === 0) return;
    for (const { id, payload } of this.#world.store.tables.event.rows(at)) {
      if (this.#seenEvents.has(id)) continue;
      this.#seenEvents.add(id);
      const sent = this.#sent[numberIn(payload) ?? -1];
      if (sent === undefined) continue;
      sent.by = this.#looks;
      this.#unseen.delete(sent);
    }
    for (const sent of this.#unseen) sent.after = this.#looks;
  }

  #lookAt(at: Transaction, taskId: string, fresh: ReadonlySet<string>): string | undefined {
    const { tables } = this.#world.store;
    for (const { branch, node, kind } of tables.durable_entry.find(at, 'task_id', taskId)) {
      if (kind !== EntryKind.Wait) continue;
      const place = `${taskId} ${branch} ${node}`;
      const asked = this.#nodes.get(place) ?? { after: fresh.has(place) ? this.#looks - 1 : 0, by: this.#looks };
      this.#nodes.set(place, asked);
      const result = tables.durable_result.get(at, taskId, branch, node, -1);
      if (result === undefined || this.#judged.has(place)) continue;
      this.#judged.add(place);
      // One that has ended, and runs again, listened to nothing in between.
      if (tables.live.get(at, taskId)?.generation !== 1) continue;
      const given = this.#sent[numberIn(result.payload) ?? -1];
      if (given === undefined) continue;
      if (given.by <= asked.after)
        return `node ${place} was given an event that was stored before it: ${result.payload}`;
      const first = this.#sent.findIndex(
        (sent) =>
          sent.tenantId === given.tenantId &&
          sent.key === given.key &&
          sent.after >= asked.by &&
          sent.by <= given.after,
      );
      if (first >= 0) return `node ${place} was given ${result.payload}, and event ${first} of the key came before`;
    }
    return undefined;
  }
}

function numberIn(payload: string | null): number | undefined {
  const number = /"n":(\d+)/.exec(payload ?? '')?.[1];
  return number === undefined ? undefined : Number(number);
}
