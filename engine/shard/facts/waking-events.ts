import type { Sql } from '../../postgres/sql-client.ts';

export const readWakingEvent = {
  name: 'waking_event',
  text: `SELECT scope, payload FROM event WHERE id = $1`,
};

export interface WakingEventRow {
  readonly scope: string | null;
  readonly payload: string;
}

/** More than the keys by which one tenant's tasks are woken at once. */
const mostKept = 8;
const mostChars = 256 * 1024;

/** Events that wake many in pages, as they are stored: they never change, so that the next page need not read its event again. */
export class WakingEvents {
  readonly #kept = new Map<string, WakingEventRow>();

  /** @returns undefined where it is stored no more */
  async read(client: Sql, eventId: string): Promise<WakingEventRow | undefined> {
    const kept = this.#kept.get(eventId);
    if (kept !== undefined) return kept;
    const { rows } = await client.query<{ scope: string | null; payload: string }>({
      ...readWakingEvent,
      values: [eventId],
    });
    const [event] = rows;
    if (event !== undefined && event.payload.length <= mostChars) this.#keep(eventId, event);
    return event;
  }

  #keep(eventId: string, event: WakingEventRow): void {
    this.#kept.set(eventId, event);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest);
  }
}
