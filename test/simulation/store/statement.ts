import type { Parameters } from './parameters.ts';
import type { Tables } from './schema.ts';
import type { Transaction } from './transaction.ts';

/** What a statement answers, as the driver has it. */
export interface Answer {
  command: string;
  rows: Readonly<Record<string, unknown>>[];
  rowCount: number | null;
}

/** One line of pg_stat_activity. */
export interface Activity {
  pid: number;
  applicationName: string;
  startUs: number;
}

/** What a statement can see and do beside its parameters. */
export interface Context {
  transaction: Transaction;
  tables: Tables;
  /** `clock_timestamp()`, in microseconds. */
  clockUs: number;
  /** Of the connection itself. */
  pid: number;
  activity: () => readonly Activity[];
  /** Ends the backend, or begins to: it may be busy with what cannot be interrupted. @throws Blocked until it is gone, or `untilUs` */
  terminate: (pid: number, untilUs: number) => boolean;
  /** When the statement was run first; it is run again after each wait. */
  firstRunUs: number;
}

/** The model of one statement of the engine. */
export interface StatementModel {
  /** As the engine sends it. */
  readonly text: string;
  /** Runs as a whole, or throws: DatabaseError for a refusal, Blocked for a wait. */
  run(context: Context, parameters: Parameters): Answer;
}

export function selected(rows: Readonly<Record<string, unknown>>[]): Answer {
  return { command: 'SELECT', rows, rowCount: rows.length };
}

/** Answers of the driver have bigints as text. */
export function big(value: number): string {
  return String(value);
}

export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
