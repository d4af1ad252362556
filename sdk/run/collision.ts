import { BinaryReader } from '@bufbuild/protobuf/wire';
import { status } from '@grpc/grpc-js';
import {
  BulkTriggerIdempotencyCollisionError as WireBulkCollision,
  IdempotencyCollisionError as WireCollision,
} from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { isServiceError } from '../connection/call-error.ts';
import { BulkTriggerIdempotencyCollisionError, IdempotencyCollisionError } from '../errors.ts';

const single = 'v1.IdempotencyCollisionError';
const bulk = 'v1.BulkTriggerIdempotencyCollisionError';

/** The collision that an ALREADY_EXISTS error carries in its `google.rpc.Status` trailer. */
export function collisionOf(
  error: unknown,
): IdempotencyCollisionError | BulkTriggerIdempotencyCollisionError | undefined {
  if (!isServiceError(error) || error.code !== status.ALREADY_EXISTS) return undefined;
  const [details] = error.metadata.get('grpc-status-details-bin');
  for (const { typeUrl, value } of Buffer.isBuffer(details) ? anyMessages(details) : []) {
    if (typeUrl.endsWith(`/${bulk}`)) {
      const collision = WireBulkCollision.decode(value);
      return new BulkTriggerIdempotencyCollisionError(
        collision.successfulWorkflowRunExternalIds,
        collision.collisions.map(collisionError),
      );
    }
    if (typeUrl.endsWith(`/${single}`)) return collisionError(WireCollision.decode(value));
  }
  return new IdempotencyCollisionError('');
}

function collisionError({ existingRunExternalId, collidingRunExternalId }: WireCollision): IdempotencyCollisionError {
  return new IdempotencyCollisionError(existingRunExternalId, collidingRunExternalId);
}

interface AnyMessage {
  typeUrl: string;
  value: Uint8Array;
}

/** `google.rpc.Status.details` (field 3), each a `google.protobuf.Any` (type_url 1, value 2). */
function anyMessages(bytes: Uint8Array): AnyMessage[] {
  const reader = new BinaryReader(bytes);
  const messages: AnyMessage[] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 3) messages.push(anyMessage(reader.bytes()));
    else reader.skip(wireType);
  }
  return messages;
}

function anyMessage(bytes: Uint8Array): AnyMessage {
  const reader = new BinaryReader(bytes);
  const message: AnyMessage = { typeUrl: '', value: new Uint8Array() };
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) message.typeUrl = reader.string();
    else if (field === 2) message.value = reader.bytes();
    else reader.skip(wireType);
  }
  return message;
}
