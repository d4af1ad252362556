import { HatchetError } from '../base/errors.ts';
import { Sqlstate, sqlstateOf } from './sqlstate.ts';

/** What the pool says where no connection became free in time; it has no code of its own. */
const noConnection = 'timeout exceeded when trying to connect';

/**
 * What a caller is told, rather than that the engine failed, of a statement of its own that Postgres ended for its time, and
 * of a read for which no connection became free.
 */
export function namedError(error: unknown): unknown {
  if (error instanceof Error && error.message === noConnection)
    return new HatchetError('BUSY', 'all connections for reads were in use for too long', {
      cause: error,
      remedy: 'Try again in a moment, and read less at once.',
    });
  if (sqlstateOf(error) !== Sqlstate.queryCanceled) return error;
  return new HatchetError('TOO_SLOW', 'Postgres needed longer for this than the engine lets it', {
    cause: error,
    remedy: 'Ask for less at once: a shorter time, fewer rows, or fewer filters.',
  });
}
