declare const taskRow: unique symbol;
declare const runRow: unique symbol;

/** Where a task stands in the shard's table of tasks. Another task's once it has ended. */
export type TaskRow = number & { readonly [taskRow]: true };

/** Where a run of several tasks stands in the shard's table of runs. */
export type RunRow = number & { readonly [runRow]: true };

/** In columns and in links between rows: no row. */
export const noRow = -1;

/** For tables and lists, which keep rows as plain numbers: nobody else says that a number is one. */
export function isTaskRow(row: number | undefined): row is TaskRow {
  return row !== undefined && row >= 0;
}

export function isRunRow(row: number | undefined): row is RunRow {
  return row !== undefined && row >= 0;
}
