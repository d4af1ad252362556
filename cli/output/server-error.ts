import { status, type ServiceError } from '@grpc/grpc-js';
import {
  detailsOf,
  distrusted,
  isDistrusted,
  isPlainServer,
  isRefusedClient,
  plainServer,
  refusedClient,
} from '../../sdk/connection/call-error.ts';
import { exitCodeOfStatus, type ExitCode } from '../exit-codes.ts';

/** What an engine answered instead of a result, or that it did not answer. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly exitCode: ExitCode;
  readonly remedy: string | undefined;
  readonly status: status;

  constructor(message: string, options: { status: status; remedy?: string | undefined; cause: unknown }) {
    super(message, { cause: options.cause });
    this.status = options.status;
    this.exitCode = exitCodeOfStatus(options.status);
    this.remedy = options.remedy;
  }

  /** The engine was not there: trying again, later or elsewhere, may help. */
  get isAbsence(): boolean {
    return this.status === status.UNAVAILABLE || this.status === status.DEADLINE_EXCEEDED;
  }

  /** For a stream that was served before: an engine that stops cuts it, and one whose Postgres is away fails it. */
  get mayPass(): boolean {
    return (
      this.isAbsence ||
      this.status === status.CANCELLED ||
      this.status === status.INTERNAL ||
      this.status === status.UNKNOWN
    );
  }
}

/** @param address where the call went, for the message */
export function fromServiceError(error: ServiceError, address: string): ServerError {
  if (error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED) {
    return new ServerError(`no engine answers at ${address}: ${detailsOf(error)}`, {
      status: error.code,
      cause: error,
      remedy: remedyOf(error),
    });
  }
  if (error.code === status.UNAUTHENTICATED || error.code === status.PERMISSION_DENIED) {
    return new ServerError(`the engine at ${address} refused access: ${error.details}`, {
      status: error.code,
      cause: error,
    });
  }
  return new ServerError(error.details === '' ? error.message : error.details, { status: error.code, cause: error });
}

function remedyOf(error: ServiceError): string {
  if (isPlainServer(error)) return `${plainServer}.`;
  if (isRefusedClient(error)) return `${refusedClient}.`;
  return isDistrusted(error)
    ? `${distrusted}.`
    : 'Start one with `hatchet dev` or `hatchet engine start`, or check the address.';
}

export function isServiceError(error: unknown): error is ServiceError {
  return (
    error instanceof Error &&
    'code' in error &&
    'details' in error &&
    typeof error.code === 'number' &&
    typeof error.details === 'string'
  );
}
