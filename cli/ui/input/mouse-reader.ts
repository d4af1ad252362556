/** Where the mouse is, counted from 0 at the top left, and what it did there. */
export interface MouseReport {
  kind: 'click' | 'wheel-up' | 'wheel-down' | 'other';
  row: number;
  column: number;
}

/** What a person did, in its order: keys as the terminal sent them, and the mouse. */
export type Input = string | MouseReport;

/** Presses and the wheel (1000), in the notation that has no limit on columns (1006). */
export const mouseOn = '\u001b[?1000h\u001b[?1006h';
export const mouseOff = '\u001b[?1006l\u001b[?1000l';

const escape = '\u001b';
const sgrStart = `${escape}[<`;
/** Terminals without 1006 send three bytes after it. */
const oldStart = `${escape}[M`;
const oldLength = oldStart.length + 3;
/** What is longer than three numbers of five digits, and what is around them, is no report: its end is waited for all the same. */
const longest = 24;

/**
 * Takes reports of the mouse out of what a terminal sends, however it is cut into chunks. What begins like a report and is
 * none is dropped: nothing of it may be typed into a text.
 */
export class MouseReader {
  /** The begin of what may be a report. */
  #held = '';
  /** What was given back as a key, though a report may go on from there. */
  #released = '';

  push(chunk: string): Input[] {
    const late = `${this.#released}${chunk}`;
    const goesOn = this.#released !== '' && late.startsWith(sgrStart) && isParameter(late.charCodeAt(sgrStart.length));
    const text = goesOn ? late : `${this.#held}${chunk}`;
    this.#released = '';
    this.#held = '';
    const inputs: Input[] = [];
    let from = 0;
    for (let at = text.indexOf(escape); at >= 0; at = text.indexOf(escape, at)) {
      const read = readReport(text, at);
      if (read === undefined) {
        at++;
        continue;
      }
      if (at > from) inputs.push(text.slice(from, at));
      if (read === 'more') {
        this.#held = text.slice(at, at + longest);
        return inputs;
      }
      if (read.report !== undefined) inputs.push(read.report);
      from = read.end;
      at = read.end;
    }
    if (from < text.length) inputs.push(text.slice(from));
    return inputs;
  }

  /** What is held is the Escape key, or Alt with a bracket, unless more comes at once. */
  get mayBeKey(): boolean {
    return this.#held === escape || this.#held === `${escape}[`;
  }

  /** Gives back what may be a key. */
  release(): string {
    if (!this.mayBeKey) return '';
    this.#released = this.#held;
    this.#held = '';
    return this.#released;
  }
}

type Read = { report: MouseReport | undefined; end: number };

/** @returns undefined where no report begins, 'more' where it is not whole; without a report it is one that says nothing */
function readReport(text: string, at: number): Read | 'more' | undefined {
  if (text.length - at < sgrStart.length) return sgrStart.startsWith(text.slice(at)) ? 'more' : undefined;
  if (text.startsWith(oldStart, at))
    return text.length - at < oldLength ? 'more' : { report: oldReport(text, at), end: at + oldLength };
  if (!text.startsWith(sgrStart, at)) return undefined;
  let end = at + sgrStart.length;
  while (end < text.length && isParameter(text.charCodeAt(end))) end++;
  if (end === text.length) return 'more';
  const [, button, column, row] = /^(\d{1,5});(\d{1,5});(\d{1,5})$/.exec(text.slice(at + sgrStart.length, end)) ?? [];
  const final = text.charCodeAt(end);
  const isPress = text[end] === 'M';
  const report =
    button !== undefined && (isPress || text[end] === 'm')
      ? reportOf({ button: Number(button), row: Number(row), column: Number(column), isPress })
      : undefined;
  return { report, end: final >= 0x40 && final <= 0x7e ? end + 1 : end };
}

function oldReport(text: string, at: number): MouseReport | undefined {
  const number = (index: number): number => text.charCodeAt(at + oldStart.length + index) - 32;
  const button = number(0);
  return button < 0 ? undefined : reportOf({ button, column: number(1), row: number(2), isPress: (button & 3) !== 3 });
}

const motion = 32;
const wheel = 64;
const modifiers = 4 + 8 + 16;

function reportOf({
  button,
  row,
  column,
  isPress,
}: {
  button: number;
  row: number;
  column: number;
  isPress: boolean;
}): MouseReport | undefined {
  if (row < 1 || column < 1) return undefined;
  return { kind: isPress ? kindOf(button) : 'other', row: row - 1, column: column - 1 };
}

/** A click with a modifier is the terminal's, or means something that nothing is bound to. */
function kindOf(button: number): MouseReport['kind'] {
  if (button === 0) return 'click';
  switch (button & ~modifiers & ~motion) {
    case wheel:
      return 'wheel-up';
    case wheel + 1:
      return 'wheel-down';
    default:
      return 'other';
  }
}

/** Of the parameters of a control sequence. */
function isParameter(code: number): boolean {
  return code >= 0x30 && code <= 0x3f;
}
