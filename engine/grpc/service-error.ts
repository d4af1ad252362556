import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { HatchetError, type ErrorCode } from '../base/errors.ts';
import { CollisionError } from './collision.ts';
import { faults } from '../base/faults.ts';
import { isMovedAway } from '../base/not-owner.ts';
import type { Logger } from '../base/log.ts';
import { namedError } from '../postgres/named-error.ts';
import { movedTrailer } from './calls/pass-on.ts';

const codes: Partial<Record<ErrorCode, status>> = {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  PAYLOAD_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  UNKNOWN_WORKFLOW: status.NOT_FOUND,
  UNKNOWN_RUN: status.NOT_FOUND,
  UNKNOWN_WORKER: status.NOT_FOUND,
  RUN_BUSY: status.FAILED_PRECONDITION,
  UNKNOWN_EVENT: status.NOT_FOUND,
  UNKNOWN_FILTER: status.NOT_FOUND,
  UNKNOWN_TIMER: status.NOT_FOUND,
  UNKNOWN_WEBHOOK: status.NOT_FOUND,
  UNKNOWN_RATE_LIMIT: status.NOT_FOUND,
  UNKNOWN_TENANT: status.NOT_FOUND,
  UNKNOWN_TOKEN: status.NOT_FOUND,
  UNKNOWN_SERVICE: status.NOT_FOUND,
  WEBHOOK_REFUSED: status.PERMISSION_DENIED,
  IDEMPOTENCY_COLLISION: status.ALREADY_EXISTS,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  LIMIT_REACHED: status.RESOURCE_EXHAUSTED,
  BUSY: status.RESOURCE_EXHAUSTED,
  TOO_SLOW: status.RESOURCE_EXHAUSTED,
  NOT_SUPPORTED: status.UNIMPLEMENTED,
  DEV_ONLY: status.FAILED_PRECONDITION,
  NOT_OWNER: status.UNAVAILABLE,
  STOPPING: status.UNAVAILABLE,
  DISK_FULL: status.RESOURCE_EXHAUSTED,
};

/** The error as gRPC carries it; the stable code travels in the trailer `hatchet-error-code`. */
export function toServiceError(thrown: unknown, log: Logger): ServiceError {
  const error = namedError(thrown);
  const metadata = new Metadata();
  if (error instanceof HatchetError) {
    metadata.set('hatchet-error-code', error.code);
    if (isMovedAway(error)) metadata.set(movedTrailer, '1');
    if (error instanceof CollisionError) metadata.set('grpc-status-details-bin', error.status);
    const details = sendable(error.remedy === undefined ? error.message : `${error.message}. ${error.remedy}`);
    return Object.assign(new Error(details), { code: codes[error.code] ?? status.INTERNAL, details, metadata });
  }
  faults.internalErrors++;
  log.error({ err: error }, 'a call failed unexpectedly: this is a bug, or Postgres is away');
  metadata.set('hatchet-error-code', 'INTERNAL');
  const details = 'the engine could not carry the call out; its log has the details';
  return Object.assign(new Error(details), { code: status.INTERNAL, details, metadata });
}

/** Trailers have a size. */
const longestDetails = 4_000;

/** A text that quotes half of a surrogate pair could not be put into a trailer: the call would never be answered. */
function sendable(text: string): string {
  return text.slice(0, longestDetails).replaceAll(/\p{Surrogate}/gu, '\ufffd');
}
