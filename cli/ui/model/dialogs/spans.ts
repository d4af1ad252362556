import stringWidth from 'string-width';
import { plainText } from '../../../output/plain-text.ts';
import { fit } from '../../../output/table.ts';
import type { TextField } from '../ui-state.ts';

/** A piece of a dialog's line. */
export interface Span {
  text: string;
  style?: 'bold' | 'dim' | 'inverse' | 'wrong';
}

export type SpanLine = readonly Span[];

export function widthOf(line: SpanLine): number {
  return line.reduce((sum, { text }) => sum + stringWidth(text), 0);
}

/** The line cut to a width in cells. */
export function cutLine(line: SpanLine, width: number): SpanLine {
  const kept: Span[] = [];
  let left = width;
  for (const span of line) {
    const cells = stringWidth(span.text);
    if (cells <= left) kept.push(span);
    else if (left > 0) kept.push({ ...span, text: fit(span.text, left) });
    left -= cells;
    if (left < 0) break;
  }
  return kept;
}

/** One line of text around its cursor, as far as it fits. */
export function fieldSpans({ text, cursor }: TextField, width: number): SpanLine {
  let start = 0;
  while (start < cursor && stringWidth(text.slice(start, cursor)) > width - 2) start++;
  const under = text.slice(cursor, cursor + 1) || ' ';
  return cutLine(
    [
      { text: plainText(text.slice(start, cursor)) },
      { text: plainText(under) || ' ', style: 'inverse' },
      { text: plainText(text.slice(cursor + 1)) },
    ],
    width,
  );
}
