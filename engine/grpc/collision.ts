import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { HatchetError } from '../errors.ts';
import type { Collision } from '../plan/command.ts';
import { BulkTriggerIdempotencyCollisionError, IdempotencyCollisionError } from '../../proto/gen/hatchet/contract/v1/workflows.ts';

const alreadyExists = 6;

/** An idempotency key that another run holds, as SDKs read it from the call's trailer. */
export class CollisionError extends HatchetError {
  /** `google.rpc.Status` with the contract's message. */
  readonly status: Buffer;

  constructor(message: string, typeUrl: string, detail: Uint8Array) {
    super('IDEMPOTENCY_COLLISION', message, { remedy: 'Use the run that exists, or another key.' });
    const any = new BinaryWriter().uint32(10).string(typeUrl).uint32(18).bytes(detail).finish();
    this.status = Buffer.from(new BinaryWriter().uint32(8).int32(alreadyExists).uint32(18).string(message).uint32(26).bytes(any).finish());
  }
}

/** @throws CollisionError where a trigger met claimed keys: of a bulk call the other runs exist */
export function refuseCollisions(collisions: readonly Collision[], created: readonly string[], bulk: boolean): void {
  const [first] = collisions;
  if (first === undefined) return;
  const wire = collisions.map(({ existingRunId, collidingRunId }) => ({ existingRunExternalId: existingRunId, collidingRunExternalId: collidingRunId }));
  if (bulk) {
    const detail = BulkTriggerIdempotencyCollisionError.encode({ successfulWorkflowRunExternalIds: [...created], collisions: wire }).finish();
    throw new CollisionError(`${collisions.length} of the runs have idempotency keys that other runs hold`, 'type.googleapis.com/v1.BulkTriggerIdempotencyCollisionError', detail);
  }
  const detail = IdempotencyCollisionError.encode({ existingRunExternalId: first.existingRunId, collidingRunExternalId: first.collidingRunId }).finish();
  throw new CollisionError(`the idempotency key of the run is held by run ${first.existingRunId}`, 'type.googleapis.com/v1.IdempotencyCollisionError', detail);
}
