import stringWidth from 'string-width';
import { plainText } from './plain-text.ts';

export type ListRow = object;

export interface Column<Row> {
  title: string;
  cell(row: Row): string;
  /** Cells longer than this are cut. Default 60. */
  max?: number;
  align?: 'left' | 'right';
}

export interface Table<Row> {
  columns: readonly Column<Row>[];
  /** Shown instead of an empty table. */
  empty: string;
}

/** Cuts to a width in terminal cells, with an ellipsis for what is missing. */
export function fit(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  if (width <= 0) return '';
  let used = 0;
  let kept = '';
  for (const character of text) {
    const next = stringWidth(character);
    if (used + next > width - 1) break;
    used += next;
    kept += character;
  }
  return `${kept}…`;
}

/** Fills with spaces up to a width in terminal cells. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return align === 'left' ? text + space : space + text;
}

export function renderTable<Row>(rows: readonly Row[], table: Table<Row>): string {
  if (rows.length === 0) return table.empty;
  const { columns } = table;
  const cells = rows.map((row) => columns.map((column) => fit(plainText(column.cell(row)), column.max ?? 60)));
  const widths = columns.map((column, index) =>
    Math.max(stringWidth(column.title), ...cells.map((line) => stringWidth(line[index] ?? ''))),
  );
  const line = (parts: readonly string[]): string =>
    parts
      .map((part, index) => pad(part, widths[index] ?? 0, columns[index]?.align))
      .join('  ')
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...cells.map(line)].join('\n');
}
