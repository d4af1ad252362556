import {
  BulkTriggerIdempotencyCollisionError,
  HatchetError,
  IdempotencyCollisionError,
  TaskCancelledError,
  type HatchetErrorCode,
} from '../../errors.ts';
import { describeFailure } from '../../failure/describe-failure.ts';
import { fieldOf, isList, textFieldOf } from '../../failure/safe-reads.ts';
import { textsOf } from './messages.ts';

/** Of the errors that a call can end with. */
const codes: ReadonlySet<HatchetErrorCode> = new Set([
  'UNREACHABLE',
  'UNAUTHENTICATED',
  'UNKNOWN_WORKFLOW',
  'UNKNOWN_RUN',
  'INVALID_ARGUMENT',
  'PAYLOAD_TOO_LARGE',
  'NOT_SUPPORTED',
  'NOT_GRANTED',
  'STOPPED',
  'ENGINE_ERROR',
]);

/** An error that a call of a task's context ended with, on its way from the worker to the runner. */
export interface WireError {
  readonly message: string;
  readonly code: string | undefined;
  readonly collision?: { readonly existing: string; readonly colliding: string | undefined } | undefined;
  readonly collisions?: { readonly successful: readonly string[]; readonly each: readonly WireError[] } | undefined;
}

export function toWireError(thrown: unknown): WireError {
  const { message, code } = describeFailure(thrown);
  if (thrown instanceof IdempotencyCollisionError)
    return {
      message,
      code,
      collision: { existing: thrown.existingRunExternalId, colliding: thrown.collidingRunExternalId },
    };
  if (thrown instanceof BulkTriggerIdempotencyCollisionError)
    return {
      message,
      code,
      collisions: { successful: thrown.successfulWorkflowRunExternalIds, each: thrown.collisions.map(toWireError) },
    };
  return { message, code };
}

export function fromWireError(wire: unknown): Error {
  const collision = fieldOf(wire, 'collision');
  if (collision !== undefined) return collisionOf(collision);
  const collisions = fieldOf(wire, 'collisions');
  if (collisions !== undefined) {
    const each = fieldOf(collisions, 'each');
    return new BulkTriggerIdempotencyCollisionError(
      textsOf(fieldOf(collisions, 'successful')),
      isList(each) ? each.map((one) => collisionOf(fieldOf(one, 'collision'))) : [],
    );
  }
  const message = textFieldOf(wire, 'message') ?? 'the worker could not do it';
  const given = textFieldOf(wire, 'code');
  if (given === 'TASK_CANCELLED') return new TaskCancelledError(message);
  return new HatchetError([...codes].find((code) => code === given) ?? 'ENGINE_ERROR', message);
}

function collisionOf(collision: unknown): IdempotencyCollisionError {
  return new IdempotencyCollisionError(textFieldOf(collision, 'existing') ?? '', textFieldOf(collision, 'colliding'));
}
