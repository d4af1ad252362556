import { celEnv, celFunc, celMethod, CelScalar, isCelError, isCelUint, type CelFunc } from '@bufbuild/cel';

/** Characters of a regular expression, also where it comes with the data: the library takes seconds for one of 40,000. */
export const maxPatternChars = 1024;
/** Characters or bytes that an addition may give: four times the largest payload. */
export const maxJoined = 16 * 1024 * 1024;
/** Characters of a text that is read as a whole number; the largest has 20, and the library's time grows with the square. */
const maxDigits = 1000;

const { BYTES, INT, STRING, UINT } = CelScalar;
const library = new Map([...celEnv().funcs].map((func) => [func.id, func]));

function original(id: string): CelFunc {
  const found = library.get(id);
  if (found === undefined) throw new Error(`the CEL library has no function ${id}`);
  return found;
}

const matches = original('string.matches(string)');
const toInt = original('int(string)');
const toUint = original('uint(string)');

/** What the library's function gives. It returns its faults, which a function made by us throws. */
function given(func: CelFunc, target: string | undefined, args: string[]): unknown {
  const result = func.call(0, target, args);
  if (result === undefined || isCelError(result)) throw result ?? new Error(`${func.id} takes something else`);
  return result;
}

function digits(text: string): string {
  if (text.length > maxDigits) throw new Error(`a text of ${text.length} characters is no whole number`);
  return text;
}

function checkJoined(size: number, what: string): void {
  if (size > maxJoined) throw new Error(`an addition gives ${size} ${what}; up to ${maxJoined} are allowed`);
}

/** In code points, counted in place: the library makes a list of them, eight times the text. */
function codePoints(text: string): bigint {
  let count = text.length;
  for (let at = 0; at + 1 < text.length; at++) {
    if ((text.charCodeAt(at) & 0xfc_00) === 0xd8_00 && (text.charCodeAt(at + 1) & 0xfc_00) === 0xdc_00) {
      count--;
      at++;
    }
  }
  return BigInt(count);
}

/** In place of those functions of the library whose time or memory has no bound that fits. */
export const boundedFunctions: CelFunc[] = [
  celMethod('matches', STRING, [STRING], CelScalar.BOOL, function (pattern) {
    if (pattern.length > maxPatternChars)
      throw new Error(`the pattern has ${pattern.length} characters; up to ${maxPatternChars} are allowed`);
    return given(matches, this, [pattern]) === true;
  }),
  celFunc('size', [STRING], INT, codePoints),
  celMethod('size', STRING, [], INT, function () {
    return codePoints(this);
  }),
  celFunc('_+_', [STRING, STRING], STRING, (left, right) => {
    checkJoined(left.length + right.length, 'characters');
    return left + right;
  }),
  celFunc('_+_', [BYTES, BYTES], BYTES, (left, right) => {
    checkJoined(left.length + right.length, 'bytes');
    const joined = new Uint8Array(left.length + right.length);
    joined.set(left);
    joined.set(right, left.length);
    return joined;
  }),
  celFunc('int', [STRING], INT, (text) => {
    const value = given(toInt, undefined, [digits(text)]);
    if (typeof value !== 'bigint') throw new Error('int gives no whole number');
    return value;
  }),
  celFunc('uint', [STRING], UINT, (text) => {
    const value = given(toUint, undefined, [digits(text)]);
    if (!isCelUint(value)) throw new Error('uint gives no whole number');
    return value;
  }),
];
