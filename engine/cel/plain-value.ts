import { isCelList, isCelMap, isCelUint, type CelValue as LibraryValue } from '@bufbuild/cel';
import type { CelResult, CelValue } from './cel-result.ts';

/** The library's value in JSON's terms. Integers beyond 2^53 and types that JSON lacks are refused. */
export function plainResult(value: LibraryValue): CelResult {
  try {
    return { ok: true, value: plain(value) };
  } catch (error) {
    // The library converts lists and maps as they are read, and may refuse what it finds there.
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

function plain(value: LibraryValue): CelValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return integer(value);
  if (isCelUint(value)) return integer(value.value);
  if (isCelList(value)) return [...value].map(plain);
  if (isCelMap(value)) {
    return Object.fromEntries(
      [...value.entries()].map(([key, each]) => {
        if (typeof key !== 'string') throw new Error('the result is a map whose keys are not strings');
        return [key, plain(each)];
      }),
    );
  }
  throw new Error('the result is of a type that JSON does not have');
}

function integer(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) throw new Error(`the result ${value} is larger than 2^53`);
  return Number(value);
}
