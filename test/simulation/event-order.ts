import { EntryKind } from '../../engine/model/durable/durable.ts';
import { Transaction } from './store/transaction.ts';
import type { JudgedSurroundings } from './surroundings.ts';

interface StoredEvent {
  readonly tenantId: string;
  readonly key: string;
  /** In its payload. */
  readonly number: number;
  /** Of the store's commit. */
  readonly commit: number;
}

/**
 * Which event a durable task's wait was given: the first of its key that was stored after it. What was stored first is known
 * from the numbers of the store's commits. What engines tell would not do: a transaction that one of them is not told of yet
 * is there already for whoever looks. Of one transaction, either order is right.
 */
export class EventOrder {
  readonly #world: Pick<JudgedSurroundings, 'store' | 'storeUs'>;
  readonly #judged = new Set<string>();
  #numbers = 0;

  constructor(world: Pick<JudgedSurroundings, 'store' | 'storeUs'>) {
    this.#world = world;
  }

  /** For the payload of one try to push an event: what is given to a task is the payload, without the event's id. */
  nextNumber(): number {
    return this.#numbers++;
  }

  /** After a transaction. @param nodes rows of durable logs that it has stored. @returns what is wrong */
  look(nodes: readonly { taskId: string }[]): string | undefined {
    const at = new Transaction(this.#world.storeUs);
    for (const taskId of new Set(nodes.map((row) => row.taskId))) {
      const why = this.#lookAt(at, taskId);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  #lookAt(at: Transaction, taskId: string): string | undefined {
    const { tables } = this.#world.store;
    for (const { branch, node, kind } of tables.durable_entry.find(at, 'task_id', taskId)) {
      if (kind !== EntryKind.Wait) continue;
      const result = tables.durable_result.get(at, taskId, branch, node, -1);
      const place = `${taskId} ${branch} ${node}`;
      if (result === undefined || this.#judged.has(place)) continue;
      this.#judged.add(place);
      // One that has ended, and runs again, listened to nothing in between.
      if (tables.live.get(at, taskId)?.generation !== 1) continue;
      const number = numberIn(result.payload);
      if (number === undefined) continue;
      const why = this.#judge(at, number, tables.durable_entry.commitOf(taskId, branch, node));
      if (why !== undefined) return `node ${place} was given ${result.payload}: ${why}`;
    }
    return undefined;
  }

  /** @param asked the commit that stored the wait */
  #judge(at: Transaction, number: number, asked: number): string | undefined {
    const events = this.#events(at);
    const [given, twin] = events.filter((event) => event.number === number);
    if (given === undefined) return 'there is no such event';
    if (twin !== undefined) return 'there are two events of that number';
    if (given.commit < asked) return 'that event was stored before the node';
    const first = events.find(
      ({ tenantId, key, commit }) =>
        tenantId === given.tenantId && key === given.key && commit > asked && commit < given.commit,
    );
    return first && `event ${first.number} of the key came before`;
  }

  #events(at: Transaction): StoredEvent[] {
    const { event } = this.#world.store.tables;
    return [...event.rows(at)].flatMap(({ id, tenant_id: tenantId, key, payload }) => {
      const number = numberIn(payload);
      return number === undefined ? [] : [{ tenantId, key, number, commit: event.commitOf(id) }];
    });
  }
}

function numberIn(payload: string | null): number | undefined {
  const number = /"n":(\d+)/.exec(payload ?? '')?.[1];
  return number === undefined ? undefined : Number(number);
}
