import { DatabaseError } from 'pg';

/** The SQLSTATEs that the engine acts on, by name. */
export const Sqlstate = {
  undefinedTable: '42P01',
  /** By a timeout, as a rule. */
  queryCanceled: '57014',
  serializationFailure: '40001',
  deadlockDetected: '40P01',
  lockNotAvailable: '55P03',
  adminShutdown: '57P01',
  crashShutdown: '57P02',
  /** The server is starting, recovering or shutting down. */
  cannotConnectNow: '57P03',
  idleSessionTimeout: '57P05',
  idleInTransactionTimeout: '25P03',
  tooManyConnections: '53300',
  invalidPassword: '28P01',
} as const;

/** Sockets' errors carry a `code` as well (`EPIPE` even looks like one): only Postgres's own errors have a SQLSTATE. */
export function sqlstateOf(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

/**
 * What a failed statement or commit means.
 * `definite`: Postgres refused it, nothing of the transaction happened.
 * `retryable`: the same, and trying the same again may succeed.
 * `lost`: the connection went with it; a COMMIT under way may have happened or not.
 */
export type Failure = 'definite' | 'retryable' | 'lost';

const sessionEnded: ReadonlySet<string> = new Set([
  Sqlstate.adminShutdown,
  Sqlstate.crashShutdown,
  Sqlstate.cannotConnectNow,
  Sqlstate.idleSessionTimeout,
  Sqlstate.idleInTransactionTimeout,
]);

const retryable: ReadonlySet<string> = new Set([
  Sqlstate.serializationFailure,
  Sqlstate.deadlockDetected,
  Sqlstate.lockNotAvailable,
  Sqlstate.tooManyConnections,
]);

/** Anything without a SQLSTATE is a lost connection: node-postgres and sockets have codes and messages of their own. */
export function classifyFailure(error: unknown): Failure {
  const state = sqlstateOf(error);
  // Class 08 is connection exceptions; 40003 says that Postgres itself does not know.
  if (state === undefined || state.startsWith('08') || state === '40003' || sessionEnded.has(state)) return 'lost';
  return retryable.has(state) ? 'retryable' : 'definite';
}
