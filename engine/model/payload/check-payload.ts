import { HatchetError } from '../../base/errors.ts';
import { isDeeperThan, maxJsonDepth } from './json-depth.ts';
import { maxPayloadBytes } from '../limits.ts';

/** An escaped NUL: an even number of backslashes before `\u0000`. */
const escapedNul = /(?:^|[^\\])(?:\\\\)*\\u0000/;
/** What JSON.stringify leaves of a lone surrogate. */
const loneSurrogate = /\\ud[89a-f]/;

function tooLarge(what: string, bytes: number): HatchetError {
  return new HatchetError('PAYLOAD_TOO_LARGE', `${what} has ${bytes} bytes; the limit is ${maxPayloadBytes}`, {
    details: { bytes, limit: maxPayloadBytes },
    remedy: 'Store large data elsewhere and pass a reference to it.',
  });
}

/** @throws HatchetError INVALID_ARGUMENT for JSON text that is nested too deep; whether it is JSON is not looked at */
export function checkDepth(text: string, what: string, most = maxJsonDepth): void {
  if (isDeeperThan(text, most))
    throw new HatchetError('INVALID_ARGUMENT', `${what} is nested deeper than ${most} levels`, {
      details: { limit: most },
      remedy: 'Send a flatter structure, or the deep one as a string of JSON.',
    });
}

/** @throws HatchetError PAYLOAD_TOO_LARGE over 4 MiB */
export function checkSize(text: string, what: string): void {
  if (text.length * 3 <= maxPayloadBytes) return; // in UTF-8 no character has more bytes
  const bytes = Buffer.byteLength(text);
  if (bytes > maxPayloadBytes) throw tooLarge(what, bytes);
}

/**
 * JSON text as a caller sent it, checked and unchanged.
 * @throws HatchetError INVALID_ARGUMENT for what is no JSON, holds NUL or is nested too deep, PAYLOAD_TOO_LARGE over 4 MiB
 */
export function checkedJson(text: string, what: string): unknown {
  checkSize(text, what);
  checkDepth(text, what);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HatchetError(
      'INVALID_ARGUMENT',
      `${what} is not valid JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause, remedy: 'Send valid JSON.' },
    );
  }
  if (text.includes('\\u0000') && escapedNul.test(text))
    throw new HatchetError('INVALID_ARGUMENT', `${what} holds a NUL character`, {
      remedy: 'Remove \\u0000: Postgres cannot store it.',
    });
  return value;
}

/** A trigger's input; empty means an empty object. */
export function checkedInput(text: string): string {
  if (text === '') return '{}';
  checkedJson(text, 'the input');
  return text;
}

/** Metadata: a JSON object that Postgres can search. Empty means none. */
export function checkedMetadata(text: string): string {
  if (text === '') return '{}';
  const value = checkedJson(text, 'the metadata');
  if (value === null) return '{}';
  if (typeof value !== 'object' || Array.isArray(value))
    throw new HatchetError('INVALID_ARGUMENT', 'the metadata is not a JSON object', {
      remedy: 'Send an object of keys and values.',
    });
  const plain = JSON.stringify(value);
  if (loneSurrogate.test(plain))
    throw new HatchetError('INVALID_ARGUMENT', 'the metadata holds half of a surrogate pair', {
      remedy: 'Send well-formed Unicode.',
    });
  return plain;
}
