import { types } from 'node:util';
import { HatchetError, type HatchetErrorCode } from './errors.ts';
import { messageOf } from './failure/describe-failure.ts';

/**
 * JSON of a value; `undefined` for what is no value to JSON, such as a function.
 * @throws Error that names what JSON would lose in silence (`{}` in place of a Map), or cannot write; whatever a getter or a `toJSON` throws
 */
export function jsonText(value: unknown): string | undefined {
  return JSON.stringify(value, refuseLost);
}

/**
 * JSON of what somebody hands to the SDK.
 * @param what the value in words, such as `the input of simple`
 * @throws HatchetError of that code for what JSON cannot carry
 */
export function requireJson(value: unknown, what: string, code: HatchetErrorCode = 'INVALID_ARGUMENT'): string {
  let text: string | undefined;
  try {
    text = jsonText(value);
  } catch (error) {
    throw new HatchetError(code, `${what} cannot be written as JSON: ${messageOf(error)}`, { cause: error });
  }
  if (text === undefined) throw new HatchetError(code, `${what} cannot be written as JSON: it is a ${typeof value}`);
  return text;
}

/** After `toJSON`, if the value has one: a class may say itself how it travels. */
function refuseLost(key: string, value: unknown): unknown {
  const kind = lostKind(value);
  if (kind !== undefined)
    throw new TypeError(
      `JSON cannot carry ${kind}${key === '' ? '' : ` (${JSON.stringify(key)})`}; ${remedies[kind] ?? 'leave it out'}`,
    );
  return value;
}

const remedies: Partial<Record<string, string>> = {
  'a Map': 'use an object, such as Object.fromEntries(map)',
  'a Set': 'use a list, such as [...set]',
  'a bigint': 'use a text, such as String(value)',
  'an Error': 'use its message',
  'a promise': 'await it',
  bytes: "use a text, such as Buffer.from(bytes).toString('base64')",
};

/** The kinds that json-of.ts refuses at compile time. */
function lostKind(value: unknown): string | undefined {
  if (typeof value === 'bigint') return 'a bigint';
  if (typeof value !== 'object' || value === null) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return undefined; // nearly all
  if (types.isMap(value) || types.isWeakMap(value)) return 'a Map';
  if (types.isSet(value) || types.isWeakSet(value)) return 'a Set';
  if (types.isNativeError(value) || value instanceof Error) return 'an Error';
  if (types.isPromise(value)) return 'a promise';
  if (types.isRegExp(value)) return 'a RegExp';
  if (types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)) return 'bytes';
  return undefined;
}
