import { HatchetError, isError } from '../errors.ts';
import { withoutOwnFrames } from './own-frames.ts';
import { cut, entriesOf, fieldOf, isList, safely, textFieldOf, textOf } from './safe-reads.ts';

/** How far causes of causes are followed. */
const mostDepth = 8;
/** Of an AggregateError. */
const mostErrors = 10;
/** Of all causes and errors together. */
const mostParts = 30;
const mostFrames = 50;
const longestFrame = 1_000;
/** Characters. The engine takes 256 Ki of both together, as JSON. */
const longestMessage = 16 * 1024;
const longestStack = 64 * 1024;

/** What was thrown, in words. */
export interface Failure {
  /** In one piece, with what caused it: `fetch failed: connect ECONNREFUSED 127.0.0.1:80`. */
  readonly message: string;
  /** With the stacks of its causes. `undefined` where it was no error. */
  readonly stack: string | undefined;
  /** Its `code`, else that of the first cause that has one. */
  readonly code: string | undefined;
}

/** One error of those that are told of together. */
interface Part {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  /** What its message does not have to be completed by. */
  readonly isWhole: boolean;
  readonly header: string;
  readonly frames: readonly string[];
  readonly cause: Part | undefined;
  readonly errors: readonly Part[];
  /** Errors that are not among them. */
  readonly left: number;
}

/** Whatever was thrown, in words. Gives an answer for every value, of bounded length. */
export function describeFailure(thrown: unknown): Failure {
  if (!isError(thrown))
    return {
      message: cut(thrownText(thrown), longestMessage),
      stack: undefined,
      code: undefined,
    };
  const part = readPart(thrown, { seen: new Set(), left: mostParts }, 0);
  return {
    message: cut(summary(part), longestMessage),
    stack: cut(lines(part).join('\n'), longestStack),
    code: firstCode(part),
  };
}

/** Never empty: by the contract a task without an output and with an empty error is one that was cancelled. */
function thrownText(thrown: unknown): string {
  if (thrown === '') return 'an empty text was thrown';
  return typeof thrown === 'string' ? thrown : `a value that is not an Error was thrown: ${textOf(thrown)}`;
}

/** The message of whatever was thrown, with what caused it. */
export function messageOf(thrown: unknown): string {
  return describeFailure(thrown).message;
}

interface Reading {
  readonly seen: Set<unknown>;
  left: number;
}

function readPart(error: unknown, reading: Reading, depth: number): Part {
  reading.seen.add(error);
  reading.left -= 1;
  if (typeof error !== 'object' || error === null)
    return { ...nothing, message: cut(textOf(error), longestMessage), header: cut(textOf(error), longestMessage) };
  const isPlain = !isError(error) && textFieldOf(error, 'message') === undefined;
  if (isPlain) return { ...nothing, message: textOf(error), header: textOf(error) };
  const name = cut(textFieldOf(error, 'taskName') ?? (textFieldOf(error, 'name') || 'Error'), 200);
  const given = fieldOf(error, 'message');
  const message = given === undefined ? '' : cut(textOf(given), longestMessage);
  const code = codeOf(fieldOf(error, 'code'));
  const { header, frames } = readStack(textFieldOf(error, 'stack'), { name, message });
  const isWhole = safely(() => error instanceof HatchetError, false);
  const { errors, left } = readErrors(fieldOf(error, 'errors'), reading, depth);
  const cause = fieldOf(error, 'cause');
  const goesOn =
    cause !== undefined && cause !== null && depth < mostDepth && reading.left > 0 && !reading.seen.has(cause);
  return {
    name,
    message,
    code,
    isWhole,
    header,
    frames,
    cause: goesOn ? readPart(cause, reading, depth + 1) : undefined,
    errors,
    left,
  };
}

const nothing: Part = {
  name: '',
  message: '',
  code: undefined,
  isWhole: false,
  header: '',
  frames: [],
  cause: undefined,
  errors: [],
  left: 0,
};

function readErrors(list: unknown, reading: Reading, depth: number): { errors: Part[]; left: number } {
  if (!isList(list) || depth >= mostDepth) return { errors: [], left: 0 };
  const { entries, count } = entriesOf(list, mostErrors);
  const errors: Part[] = [];
  for (const error of entries)
    if (reading.left > 0 && !reading.seen.has(error)) errors.push(readPart(error, reading, depth + 1));
  return { errors, left: Math.max(0, count - mostErrors) };
}

function codeOf(code: unknown): string | undefined {
  return (typeof code === 'string' && code !== '') || typeof code === 'number' ? cut(String(code), 200) : undefined;
}

/** V8 writes `<name>: <message>`, then a line for each frame; what code wrote there itself stays as it is. */
function readStack(
  stack: string | undefined,
  { name, message }: { name: string; message: string },
): { header: string; frames: readonly string[] } {
  const short = message === '' ? name : `${name}: ${message}`;
  if (stack === undefined || stack === '') return { header: short, frames: [] };
  const all = cut(stack, longestStack).split('\n');
  const first = all.findIndex((line) => /^\s*at /.test(line));
  const head = (first === -1 ? all : all.slice(0, first)).join('\n');
  const frames =
    first === -1
      ? []
      : withoutOwnFrames(all.slice(first, first + mostFrames).map((line) => cut(`    ${line.trim()}`, longestFrame)));
  // Its own beginning is kept where it says more, as that of a SyntaxError does: the place in the source.
  const saysMore =
    message !== '' && head.includes(message) && !/^[\w.$ [\]]*: $/.test(head.slice(0, -message.length) || ': ');
  return { header: saysMore ? head : short, frames };
}

function summary(part: Part): string {
  const { message, code, isWhole } = part;
  if (isWhole && message !== '') return message;
  const own =
    typeof code === 'string' && !/^\d+$/.test(code) && !message.includes(code)
      ? `${message} (${code})`.trim()
      : message;
  const more = [...part.errors, ...(part.cause === undefined ? [] : [part.cause])]
    .map(summary)
    .filter((text, index, texts) => text !== '' && !own.includes(text) && texts.indexOf(text) === index);
  const reasons = `${more.join('; ')}${part.left > 0 ? `; and ${part.left} more` : ''}`;
  if (reasons === '') return own === '' ? part.name : own;
  return own === '' ? reasons : `${own.replace(/:$/, '')}: ${reasons}`;
}

function lines(part: Part): string[] {
  const code = part.code !== undefined && !part.header.includes(part.code) ? ` (${part.code})` : '';
  const count = part.errors.length + part.left;
  const inner = [
    ...part.errors.flatMap((error, index) => labelled(`error ${index + 1} of ${count}: `, error)),
    ...(part.left > 0 ? [`and ${part.left} more errors`] : []),
    ...(part.cause === undefined ? [] : labelled('caused by ', part.cause)),
  ];
  return [...`${part.header}${code}`.split('\n'), ...part.frames, ...inner.map((line) => `  ${line}`)];
}

function labelled(label: string, part: Part): string[] {
  const [first = '', ...rest] = lines(part);
  return [`${label}${first}`, ...rest];
}

function firstCode(part: Part): string | undefined {
  return (
    part.code ??
    [...part.errors, ...(part.cause === undefined ? [] : [part.cause])]
      .map(firstCode)
      .find((code) => code !== undefined)
  );
}
