import { Sqlstate, sqlstateOf } from './sqlstate.ts';

const mostTries = 3;

/**
 * Runs a statement again that Postgres ended to break a deadlock, as with a migration that changes several of its tables: the other one has
 * gone on meanwhile. For single statements, of which nothing is left then.
 */
export async function repeatDeadlocked<Result>(run: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      if (tries === mostTries || sqlstateOf(error) !== Sqlstate.deadlockDetected) throw error;
    }
  }
}
