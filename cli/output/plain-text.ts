import { stripVTControlCharacters } from 'node:util';

// C0 except tab and newline, DEL, C1, and the bidirectional controls that reorder what is around them.
const controls = /[^\P{Cc}\t\n]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
// oxlint-disable-next-line no-control-regex -- the beginnings and ends of these sequences are control characters
const strings = /\u001b[P\]X^_][\s\S]*?(?:\u0007|\u001b\\|\u009c|$)/g;

/** Text from outside, on one line, unable to move the cursor, colour, title or otherwise control a terminal. */
export function plainText(text: string): string {
  return plainLines(text).replaceAll(/[\t\n]+/g, ' ');
}

/** The same, with its line breaks kept. */
export function plainLines(text: string): string {
  return stripVTControlCharacters(text.replaceAll(strings, '').replaceAll('\r\n', '\n')).replaceAll(controls, '');
}
