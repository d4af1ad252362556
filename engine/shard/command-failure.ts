import { TransactionRefused } from '../commit/lane.ts';
import { DatabaseError } from 'pg';
import { HatchetError } from '../base/errors.ts';
import { faults } from '../base/faults.ts';
import { isRefusedValue } from '../model/payload/refused-value.ts';
import type { CommandKind } from '../plan/commands/command.ts';

/** What the caller of a command is told that fails wherever it stands alone. Nothing of it was stored. */
export function commandFailure(error: unknown, kind: CommandKind): HatchetError {
  if (error instanceof HatchetError) return error;
  if (error instanceof TransactionRefused && error.sqlstate === '') {
    return new HatchetError('COMMAND_FAILED', `the engine could not put ${kind} into statements: ${error.message}`, {
      cause: error,
      remedy: 'Nothing of it was stored. Send less at once.',
    });
  }
  if (error instanceof TransactionRefused) {
    return new HatchetError('COMMAND_FAILED', `Postgres refused ${kind}: ${error.message}`, {
      cause: error,
      details: { sqlstate: error.sqlstate },
      remedy: 'Nothing of it was stored. The message says which value could not be stored.',
    });
  }
  return new HatchetError('COMMAND_FAILED', `the engine could not read what ${kind} needs`, {
    cause: error,
    remedy: 'Nothing of it was stored. This is a fault of the engine; its log has the details.',
  });
}

/** What the caller of a command is told whose planning, with what follows from it, throws. */
export function planFailure(error: unknown, kind: CommandKind): HatchetError {
  return new HatchetError('COMMAND_FAILED', `the engine could not carry out ${kind}`, {
    cause: error,
    remedy: 'Nothing of it was stored. This is a fault of the engine; its log has the details.',
  });
}

/** What the caller of a command is told of whose parts some failed. */
export function partlyDone(error: unknown, { done, of }: { done: number; of: number }): unknown {
  if (done === 0 || !(error instanceof HatchetError)) return error;
  return new HatchetError(error.code, `${error.message}; ${done} of the ${of} parts of the call are stored`, {
    cause: error,
    details: { ...error.details, partsStored: done, parts: of },
    remedy: 'Call again: runs that come with the ids that they had are not made twice. All else that is stored stays.',
  });
}

/** A value that Postgres refuses should have been refused at the edge. */
export function countRefusal(error: unknown): void {
  const sqlstate =
    error instanceof TransactionRefused ? error.sqlstate : error instanceof DatabaseError ? (error.code ?? '') : '';
  if (isRefusedValue(sqlstate)) faults.statementsRefused++;
}
