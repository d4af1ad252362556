/** What ended a durable wait: by the conditions' readable data keys, `{ sleep_duration }` or events' payloads. */
export interface WaitResult {
  CREATE: Record<string, unknown[]>;
}

/** All of it, whatever the keys. */
export function matchesOf({ CREATE }: WaitResult): unknown[] {
  return Object.values(CREATE).flat();
}
