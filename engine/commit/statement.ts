import { plainArray, textArray } from './array-literal.ts';
import type { StagedIds } from './staged-payloads.ts';

/** A prepared, set-based write: its text is a constant, its parameters are one array a column. */
export interface Statement<Row> {
  /** Of the prepared statement on the connection. */
  readonly name: string;
  readonly text: string;
  /** @param staged texts that are stored already: the row that brings one has its id in place of it */
  values(rows: readonly Row[], staged: StagedIds): string[];
}

/** SQL: a column of `u` whose texts may be staged, with their ids in `u.staged`. What is compressed there is copied as it is. */
export function orStaged(column: string): string {
  return `CASE WHEN u.staged IS NULL THEN u.${column} ELSE (SELECT s.value FROM staged_payload s WHERE s.id = u.staged) END`;
}

/** The arrays of a column whose texts may be staged: the texts, empty where one is, and the ids of the staged ones. */
export function stagedArrays(values: readonly (string | null)[], staged: StagedIds): { texts: string; ids: string } {
  if (staged.size === 0) return { texts: textArray(values), ids: plainArray(values.map(() => null)) };
  const ids = values.map((value) => (value === null ? null : (staged.get(value) ?? null)));
  return { texts: textArray(values.map((value, index) => (ids[index] === null ? value : ''))), ids: plainArray(ids) };
}
