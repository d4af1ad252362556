/** A prepared, set-based write: its text is a constant, its parameters are one array a column. */
export interface Statement<Row> {
  /** Of the prepared statement on the connection. */
  readonly name: string;
  readonly text: string;
  values(rows: readonly Row[]): string[];
}
