import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { HatchetError } from '../base/errors.ts';
import type { Collision } from '../model/task/trigger-run.ts';
import {
  BulkTriggerIdempotencyCollisionError,
  IdempotencyCollisionError,
} from '../../proto/gen/hatchet/contract/v1/workflows.ts';

const alreadyExists = 6;
/** Python's SDK knows the collision by these words, and reads the status only where its message is the call's whole text. */
const message = 'idempotency key collision';

/** An idempotency key that another run holds, as SDKs read it from the call's trailer. */
export class CollisionError extends HatchetError {
  /** `google.rpc.Status` with the contract's message. */
  readonly status: Buffer;

  constructor(typeUrl: string, detail: Uint8Array) {
    super('IDEMPOTENCY_COLLISION', message);
    const any = new BinaryWriter().uint32(10).string(typeUrl).uint32(18).bytes(detail).finish();
    this.status = Buffer.from(
      new BinaryWriter().uint32(8).int32(alreadyExists).uint32(18).string(message).uint32(26).bytes(any).finish(),
    );
  }
}

/** @throws CollisionError where a trigger met claimed keys: of a bulk call the other runs exist */
export function refuseCollisions(collisions: readonly Collision[], created: readonly string[], bulk: boolean): void {
  const [first] = collisions;
  if (first === undefined) return;
  const wire = collisions.map(({ existingRunId, collidingRunId }) => ({
    existingRunExternalId: existingRunId,
    collidingRunExternalId: collidingRunId,
  }));
  if (bulk) {
    const detail = BulkTriggerIdempotencyCollisionError.encode({
      successfulWorkflowRunExternalIds: [...created],
      collisions: wire,
    }).finish();
    throw new CollisionError('type.googleapis.com/v1.BulkTriggerIdempotencyCollisionError', detail);
  }
  const detail = IdempotencyCollisionError.encode({
    existingRunExternalId: first.existingRunId,
    collidingRunExternalId: first.collidingRunId,
  }).finish();
  throw new CollisionError('type.googleapis.com/v1.IdempotencyCollisionError', detail);
}
