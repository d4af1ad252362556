import { status } from '@grpc/grpc-js';

/** What the process ends with. Scripts rely on these numbers: they never change. */
export const ExitCode = {
  done: 0,
  /** A run that FAILED or was CANCELLED, a newer schema, anything without a number of its own. */
  failed: 1,
  /** Flags, invalid JSON, input against its schema, a given port that is taken. */
  wrongUse: 2,
  /** The engine was not reached, or refused access. */
  noEngine: 3,
  /** An unknown workflow or run. */
  unknown: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** By the stable code of an error of the engine. */
const exitCodes: Readonly<Record<string, ExitCode>> = {
  INVALID_ARGUMENT: ExitCode.wrongUse,
  PAYLOAD_TOO_LARGE: ExitCode.wrongUse,
  PORT_TAKEN: ExitCode.wrongUse,
  INSECURE_BIND: ExitCode.wrongUse,
  TLS_UNUSABLE: ExitCode.wrongUse,
  NOT_CONFIGURED: ExitCode.wrongUse,
  SECRET_KEY_WRONG: ExitCode.wrongUse,
  SECRET_KEY_UNUSABLE: ExitCode.wrongUse,
  UNKNOWN_WORKFLOW: ExitCode.unknown,
  UNKNOWN_RUN: ExitCode.unknown,
  UNKNOWN_WORKER: ExitCode.unknown,
  UNKNOWN_EVENT: ExitCode.unknown,
  UNKNOWN_FILTER: ExitCode.unknown,
  UNKNOWN_TIMER: ExitCode.unknown,
  UNKNOWN_WEBHOOK: ExitCode.unknown,
  UNKNOWN_RATE_LIMIT: ExitCode.unknown,
  UNKNOWN_TENANT: ExitCode.unknown,
  UNKNOWN_TOKEN: ExitCode.unknown,
  UNAUTHENTICATED: ExitCode.noEngine,
  UNREACHABLE: ExitCode.noEngine,
  POSTGRES_UNREACHABLE: ExitCode.noEngine,
};

export function exitCodeOf(code: string): ExitCode {
  return exitCodes[code] ?? ExitCode.failed;
}

/** By the status of a call that an engine answered so, or did not answer. */
const byStatus: Partial<Record<status, ExitCode>> = {
  [status.INVALID_ARGUMENT]: ExitCode.wrongUse,
  [status.RESOURCE_EXHAUSTED]: ExitCode.wrongUse,
  [status.NOT_FOUND]: ExitCode.unknown,
  [status.UNAUTHENTICATED]: ExitCode.noEngine,
  [status.PERMISSION_DENIED]: ExitCode.noEngine,
  [status.UNAVAILABLE]: ExitCode.noEngine,
  [status.DEADLINE_EXCEEDED]: ExitCode.noEngine,
};

export function exitCodeOfStatus(code: status): ExitCode {
  return byStatus[code] ?? ExitCode.failed;
}
