import { leasePostgres } from './postgres-lease.ts';

export interface HeldPostgres {
  /** With the last engine stopped as well, Postgres ends. */
  stop(): Promise<void>;
}

/**
 * Keeps the Postgres of the test engines up between test files, so that those that run one after the other need not start
 * it each: for the global set-up of a test runner. @throws TestingError NO_POSTGRES
 */
export async function holdTestPostgres(): Promise<HeldPostgres> {
  const lease = await leasePostgres('hold');
  return { stop: () => lease.release() };
}
