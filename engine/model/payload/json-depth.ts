/**
 * Levels of objects and lists in one payload. Whoever prints, compares or converts JSON recursively (JSON.stringify, Postgres'
 * jsonb, the evaluator, SDKs of other languages) fails at some depth of its own, the first of them at about 1,000.
 */
export const maxJsonDepth = 200;

const quote = 0x22;
const backslash = 0x5c;
const openList = 0x5b;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

/** The place behind the string that starts at a quote; the text's end for one that is not closed. */
function afterString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === backslash) before -= 1;
    if ((end - before) % 2 === 0) return end + 1;
  }
  return text.length;
}

/**
 * Whether JSON text is nested deeper than so many levels. One pass without recursion, before the text is parsed: of what is
 * no JSON it says something, too, and the parser refuses it afterwards.
 */
export function isDeeperThan(text: string, most: number): boolean {
  if (text.length <= most) return false;
  let depth = 0;
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = afterString(text, at);
      continue;
    }
    if (code === openList || code === openObject) {
      depth += 1;
      if (depth > most) return true;
    } else if (code === closeList || code === closeObject) {
      depth -= 1;
    }
    at += 1;
  }
  return false;
}
