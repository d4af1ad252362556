import { HatchetError } from '../base/errors.ts';
import { Sqlstate, sqlstateOf } from '../postgres/sqlstate.ts';

/** What a caller is told of a statement of its own that Postgres ended for its time, rather than that the engine failed. */
export function namedError(error: unknown): unknown {
  if (sqlstateOf(error) !== Sqlstate.queryCanceled) return error;
  return new HatchetError('TOO_SLOW', 'Postgres needed longer for this than the engine lets it', {
    cause: error,
    remedy: 'Ask for less at once: a shorter time, fewer rows, or fewer filters.',
  });
}
