import stringWidth from 'string-width';

const plain = /^[\u0020-\u007e]*$/;

/** Text as lines of at most `width` terminal cells, broken wherever they are full: nothing of a value is left out. */
export function wrapText(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => wrapLine(line.replaceAll('\t', '  '), Math.max(2, width)));
}

function wrapLine(line: string, width: number): string[] {
  if (plain.test(line))
    return line.length <= width
      ? [line]
      : Array.from({ length: Math.ceil(line.length / width) }, (_, index) =>
          line.slice(index * width, (index + 1) * width),
        );
  const lines: string[] = [];
  let current = '';
  let used = 0;
  for (const { segment } of new Intl.Segmenter().segment(line)) {
    const cells = stringWidth(segment);
    if (used + cells > width) {
      lines.push(current);
      current = '';
      used = 0;
    }
    current += segment;
    used += cells;
  }
  return [...lines, current];
}

/** Sentences as lines of at most `width` cells, broken between words where they are short enough. */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (stringWidth(longer) <= width) {
      current = longer;
      continue;
    }
    if (current !== '') lines.push(current);
    const parts = wrapText(word, width);
    lines.push(...parts.slice(0, -1));
    current = parts.at(-1) ?? '';
  }
  return [...lines, current];
}
