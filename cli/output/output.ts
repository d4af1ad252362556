import type { ListRow, Table } from './table.ts';

export type OutputFormat = 'text' | 'json' | 'ndjson';

/** A page of a list. */
export interface Page<Row> {
  rows: readonly Row[];
  /** Where the next page begins; null on the last. */
  next: string | null;
}

/**
 * Where commands say things. Data goes to stdout and is all that does; messages for people go to stderr.
 * Control and invisible characters of what came from outside (names, logs, errors, values) are removed from text, and escaped in JSON.
 */
export interface Output {
  readonly format: OutputFormat;
  /** The one thing that was asked for. `text` is only called for people. */
  value(value: unknown, text: () => string): void;
  list<Row extends ListRow>(page: Page<Row>, table: Table<Row>): void;
  /** One element of a stream. */
  item(value: unknown, text: () => string): void;
  /** Progress and advice. */
  note(text: string): void;
  warn(text: string): void;
}
