/**
 * What went wrong in this process and nobody's call is to blame for. Each is a bug, unless Postgres was away; all are zero in
 * a healthy engine, and in every test that does not provoke them.
 */
export const faults = {
  /** Statements that Postgres refused because of a value: the edge should have refused it before. */
  statementsRefused: 0,
  /** Promises that failed with nobody listening. */
  unhandledRejections: 0,
  /** Calls that were answered with INTERNAL, or 500. */
  internalErrors: 0,
};
