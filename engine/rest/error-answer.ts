import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { HatchetError, type ErrorCode } from '../base/errors.ts';
import { faults } from '../base/faults.ts';
import type { Logger } from '../base/log.ts';
import { isMovedAway } from '../base/not-owner.ts';
import { namedError } from '../postgres/named-error.ts';
import type { RestEnv } from './deps.ts';
import { movedHeader } from './pass-on-requests.ts';

const statuses: Partial<Record<ErrorCode, ContentfulStatusCode>> = {
  INVALID_ARGUMENT: 400,
  PAYLOAD_TOO_LARGE: 413,
  UNKNOWN_WORKFLOW: 404,
  UNKNOWN_RUN: 404,
  UNKNOWN_WORKER: 404,
  UNKNOWN_EVENT: 404,
  UNKNOWN_FILTER: 404,
  UNKNOWN_TIMER: 404,
  RUN_BUSY: 409,
  UNKNOWN_WEBHOOK: 404,
  UNKNOWN_RATE_LIMIT: 404,
  UNKNOWN_TENANT: 404,
  UNKNOWN_TOKEN: 404,
  WEBHOOK_REFUSED: 403,
  IDEMPOTENCY_COLLISION: 409,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  LIMIT_REACHED: 429,
  BUSY: 429,
  TOO_SLOW: 504,
  HOST_REFUSED: 403,
  LINK_REFUSED: 401,
  DEV_ONLY: 409,
  NOT_SUPPORTED: 501,
  NOT_OWNER: 503,
  STOPPING: 503,
  DISK_FULL: 507,
};

/** The error as REST carries it: its stable code and what to do next in the body, in the contract's form. */
export function errorAnswer(context: Context<RestEnv>, thrown: unknown, log: Logger): Response {
  if (isMovedAway(thrown)) context.header(movedHeader, '1');
  const { status, code, description } = toldError(thrown, context.req.path, log);
  return context.json({ errors: [{ code, description }] }, status);
}

interface ToldError {
  status: ContentfulStatusCode;
  code: string;
  description: string;
}

/** What a client is told of an error. One that is a fault of the engine's is logged. */
export function toldError(thrown: unknown, path: string, log: Logger): ToldError {
  const error = namedError(thrown);
  if (error instanceof HatchetError) {
    const description = error.remedy === undefined ? error.message : `${error.message}. ${error.remedy}`;
    return { status: statuses[error.code] ?? 500, code: error.code, description };
  }
  faults.internalErrors++;
  log.error({ err: error, path }, 'a request failed unexpectedly');
  const description = 'the engine could not carry the request out; its log has the details';
  return { status: 500, code: 'INTERNAL', description };
}
