/** C0 except tab and newline, DEL, C1. */
const controls = String.raw`[^\P{Cc}\t\n]`;
/** What is not seen, and what reorders the text around it: soft hyphens, zero-width characters, bidirectional marks, embeddings and isolates, invisible operators, tags. */
const invisible = String.raw`\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}`;
/** One that joins pictographs to another, as families and professions are written, stays. */
const joiner = String.raw`(?<![\p{Extended_Pictographic}\ufe0f\u{1f3fb}-\u{1f3ff}])\u200d`;
const removed = new RegExp(`${controls}|[${invisible}]|${joiner}`, 'gu');
/** Also the line ends that terminals take for none. */
const escaped = new RegExp(String.raw`[\u007f-\u009f\u200d\u2028\u2029${invisible}]`, 'gu');
// oxlint-disable-next-line no-control-regex -- the beginnings and ends of these sequences are control characters
const strings = /\u001b[P\]X^_][\s\S]*?(?:\u0007|\u001b\\|\u009c|$)/g;

/** Cursor moves, colours and modes, as `stripVTControlCharacters` of Node takes them out: browsers, which have none, read this file too. */
const sequences =
  // oxlint-disable-next-line no-control-regex -- as above
  /[\u001b\u009b][[\]()#;?]*(?:(?:(?:(?:;[-a-zA-Z\d/#&.:=?%@~_]+)*|[a-zA-Z\d]+(?:;[-a-zA-Z\d/#&.:=?%@~_]*)*)?(?:\u0007|\u001b\u005c|\u009c))|(?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-ntqry=><~]))/g;

/** Text from outside, on one line, unable to move the cursor, colour, title or otherwise control a terminal, or to look like another text. */
export function plainText(text: string): string {
  return plainLines(text).replaceAll(/[\t\n]+/g, ' ');
}

/** The same, with its line breaks kept. */
export function plainLines(text: string): string {
  return text
    .replaceAll(strings, '')
    .replaceAll(/\r\n|[\u2028\u2029]/g, '\n')
    .replaceAll(sequences, '')
    .replaceAll(removed, '');
}

/** JSON as JSON.stringify makes it, with the same characters escaped: programs read the same values, and people see that they are there. */
export function jsonText(value: unknown, indent?: number): string {
  // Undefined is no JSON, and prints as nothing.
  const json: string | undefined = JSON.stringify(value, null, indent);
  return (json ?? '').replaceAll(escaped, escapeUnits);
}

function escapeUnits(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('');
}
