import type { Command } from 'commander';
import type { Page } from '../output/output.ts';
import { wholeNumber } from './parse-flags.ts';

/** Of lists that the REST API pages by number of rows. */
export interface OffsetFlags {
  limit: number;
  page?: number;
}

export function withOffset(command: Command, rows = 100): Command {
  return command
    .option('--limit <n>', 'rows', wholeNumber(1, 1000), rows)
    .option('--page <token>', 'where the page before ended', wholeNumber(0, 1_000_000));
}

export function offsetQuery({ limit, page = 0 }: OffsetFlags): { limit: number; offset: number } {
  return { limit, offset: page };
}

/** A full page may be the last: the next one is then empty. */
export function offsetPage<Row>(rows: readonly Row[], { limit, page = 0 }: OffsetFlags): Page<Row> {
  return { rows, next: rows.length < limit ? null : String(page + limit) };
}
