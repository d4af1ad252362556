import { Metadata, status, type ServiceError } from '@grpc/grpc-js';

/** An error as a call would have given it, of what the other side says by the link. */
export function serviceError(given: {
  code: number;
  details: string;
  errorCode?: string;
  statusDetails?: Uint8Array;
}): ServiceError {
  const { code, details, errorCode = '', statusDetails } = given;
  const metadata = new Metadata();
  if (errorCode !== '') metadata.set('hatchet-error-code', errorCode);
  if (statusDetails !== undefined && statusDetails.length > 0)
    metadata.set('grpc-status-details-bin', Buffer.from(statusDetails));
  return Object.assign(new Error(details), { code, details, metadata });
}

/** The status of an error of grpc-js, undefined for any other. */
export function statusIn(error: unknown): status | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

/**
 * Statuses after which the same call may be made again, where it carries an identity. INTERNAL and UNKNOWN are
 * here because an engine whose Postgres is away for a moment answers so, and nothing was committed then.
 */
export const transientStatuses: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.CANCELLED,
  status.INTERNAL,
  status.UNKNOWN,
]);
