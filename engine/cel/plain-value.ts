import { isCelList, isCelMap, isCelUint, type CelValue as LibraryValue } from '@bufbuild/cel';
import type { CelResult, CelValue } from './cel-result.ts';

/** Characters of a result, a key or a value counting one more: what is asked for are keys, numbers and truth values. */
export const maxResultChars = 64 * 1024;

/** The library's value in JSON's terms. Integers beyond 2^53, types that JSON lacks and what is too large are refused. */
export function plainResult(value: LibraryValue): CelResult {
  try {
    return { ok: true, value: plain(value, { chars: maxResultChars }) };
  } catch (error) {
    // The library converts lists and maps as they are read, and may refuse what it finds there.
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

interface Room {
  chars: number;
}

function plain(value: LibraryValue, room: Room): CelValue {
  take(room, typeof value === 'string' ? value.length + 1 : 1);
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    return value;
  if (typeof value === 'bigint') return integer(value);
  if (isCelUint(value)) return integer(value.value);
  if (isCelList(value)) {
    const list: CelValue[] = [];
    for (const each of value) list.push(plain(each, room));
    return list;
  }
  if (isCelMap(value)) {
    const entries: [string, CelValue][] = [];
    for (const [key, each] of value.entries()) {
      if (typeof key !== 'string') throw new Error('the result is a map whose keys are not strings');
      take(room, key.length);
      entries.push([key, plain(each, room)]);
    }
    return Object.fromEntries(entries);
  }
  throw new Error('the result is of a type that JSON does not have');
}

function take(room: Room, chars: number): void {
  room.chars -= chars;
  if (room.chars < 0) throw new Error(`the result has more than ${maxResultChars} characters`);
}

function integer(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER))
    throw new Error(`the result ${value} is larger than 2^53`);
  return Number(value);
}
