import { V7Generator } from 'uuidv7';
import { markChecked, type Checked } from '../checked.ts';

const hex = Buffer.from('0123456789abcdef');
const text = Buffer.alloc(36, '-');
/** A clock that goes back by less than 10 s leaves its ids ascending. */
let generator = new V7Generator();
let systemMs = (): number => Date.now();

/**
 * Ids are dated by this from now on: tables are parted by the days of their ids, so a wrong clock would store rows where no partition is.
 * @param random in place of the system's, for who needs the same ids again
 */
export function dateIdsBy(nowMs: () => number, random?: { nextUint32(): number }): void {
  systemMs = nowMs;
  if (random !== undefined) generator = new V7Generator(random);
}

/** The time by which ids are dated. */
export function idTimeMs(): number {
  return Math.floor(systemMs());
}

/**
 * A new UUIDv7: ascending within this process, and dated by its first 48 bits. As one piece of 105 bytes in a map: what the
 * library writes is joined from its characters, and takes 850 for as long as it is kept.
 */
export function newId(): Checked<string> {
  let at = 0;
  for (const byte of generator.generateOrResetWithTs(idTimeMs()).bytes) {
    if (at === 8 || at === 13 || at === 18 || at === 23) at++;
    text[at++] = hex[byte >> 4] ?? 0;
    text[at++] = hex[byte & 15] ?? 0;
  }
  return markChecked(text.toString('latin1'));
}

const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The canonical lower-case form, or `undefined` where the text is no UUID. */
export function parseUuid(text: string): Checked<string> | undefined {
  if (text.length !== 36) return undefined;
  const lower = text.toLowerCase();
  return shape.test(lower) ? markChecked(lower) : undefined;
}

/** Milliseconds since the epoch at which a UUIDv7 was made. */
export function uuidTimeMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** Whether an id given by a client can be a run's: version 7, and dated within `windowMs` of `nowMs`. */
export function isRecentUuid7(id: string, nowMs: number, windowMs: number): boolean {
  return id[14] === '7' && Math.abs(uuidTimeMs(id) - nowMs) <= windowMs;
}
