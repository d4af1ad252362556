/** JSON text that goes into an answer as it is stored: not parsed, not printed again, however deep it is. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

interface Level {
  close: string;
  /** Left to write, last first; of a list, without keys. */
  entries: { key: string | undefined; value: unknown }[];
  isFirst: boolean;
}

/** Texts are gathered up to this size. */
const pieceChars = 16 * 1024;

/**
 * What JSON.stringify makes of plain objects, lists and scalars, piece by piece and without recursion. Raw pieces are passed
 * on. There is no `toJSON`: dates are texts already in all messages.
 */
export function* jsonPieces(value: unknown): Generator<string> {
  const open: Level[] = [];
  let gathered = '';
  for (
    let next: { key: string | undefined; value: unknown } | undefined = { key: undefined, value };
    next !== undefined;
  ) {
    const level = open.at(-1);
    if (level !== undefined) {
      gathered += level.isFirst ? '' : ',';
      level.isFirst = false;
      if (next.key !== undefined) gathered += `${JSON.stringify(next.key)}:`;
    }
    const item: unknown = next.value;
    if (item instanceof RawJson) {
      yield gathered;
      yield item.text;
      gathered = '';
    } else if (Array.isArray(item)) {
      gathered += '[';
      open.push({
        close: ']',
        entries: item.map((each: unknown) => ({ key: undefined, value: isWritten(each) ? each : null })).reverse(),
        isFirst: true,
      });
    } else if (typeof item === 'object' && item !== null) {
      gathered += '{';
      open.push({
        close: '}',
        entries: Object.entries(item)
          .flatMap(([key, each]: [string, unknown]) => (isWritten(each) ? [{ key, value: each }] : []))
          .reverse(),
        isFirst: true,
      });
    } else {
      gathered += JSON.stringify(item);
    }
    if (gathered.length >= pieceChars) {
      yield gathered;
      gathered = '';
    }
    next = open.at(-1)?.entries.pop();
    while (next === undefined && open.length > 0) {
      gathered += open.pop()?.close ?? '';
      next = open.at(-1)?.entries.pop();
    }
  }
  yield gathered;
}

function isWritten(value: unknown): boolean {
  return value !== undefined && typeof value !== 'function' && typeof value !== 'symbol';
}

export function writeJson(value: unknown): string {
  return [...jsonPieces(value)].join('');
}
