/**
 * What one event may do in one transaction, and how many may go on in later ones. A durable task that is met costs some 60 µs to load, plan and store, a step some
 * 30 µs, a look at one that is not meant 1 µs: a page keeps the event loop for 10 ms at the most.
 */
export interface WakingLimits {
  /** Tasks that it meets. */
  readonly tasks: number;
  /** The same while other tenants are there: their starts wait for the page, and with it cost three times as long as alone. */
  readonly tasksBesideOthers: number;
  /** Waiting steps that it is compared with. */
  readonly looks: number;
  /** Rows of `durable_listen` that are read for it. */
  readonly rows: number;
  /** Characters that are stored with those that it meets: each keeps the payload. */
  readonly chars: number;
  /** All events of a transaction together may do so many times what one may: a steady stream of events that wake one task each is met as it comes. */
  readonly eventsTogether: number;
  /** Events of a tenant that have still to wake what waits for them; each takes some 300 bytes of memory. */
  readonly pending: number;
}

export const wakingLimits: WakingLimits = {
  tasks: 50,
  tasksBesideOthers: 15,
  looks: 5_000,
  rows: 250,
  chars: 1024 * 1024,
  eventsTogether: 10,
  pending: 10_000,
};

/** How many tasks a payload of this length may meet in a transaction: one always. */
export function mostMet({ tasks, chars }: WakingLimits, payload: string): number {
  return Math.max(1, Math.min(tasks, Math.floor(chars / Math.max(payload.length, 1))));
}
