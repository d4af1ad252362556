import { uuidv7obj } from 'uuidv7';

/** A new UUIDv7: ascending within this process, and dated by its first 48 bits. */
export function newId(): string {
  return uuidv7obj().toString();
}

const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The canonical lower-case form, or `undefined` where the text is no UUID. */
export function parseUuid(text: string): string | undefined {
  const lower = text.toLowerCase();
  return shape.test(lower) ? lower : undefined;
}

/** Milliseconds since the epoch at which a UUIDv7 was made. */
export function uuidTimeMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** Whether an id given by a client can be a run's: version 7, and dated within `windowMs` of `nowMs`. */
export function isRecentUuid7(id: string, nowMs: number, windowMs: number): boolean {
  return id[14] === '7' && Math.abs(uuidTimeMs(id) - nowMs) <= windowMs;
}
