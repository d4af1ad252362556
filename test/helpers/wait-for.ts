import { setTimeout as delay } from 'node:timers/promises';

/** Looks until the condition holds. @throws with the last reason once the limit has passed */
export async function waitFor<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>, limitMs = 10_000): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${limitMs} ms`);
    await delay(25);
  }
}
