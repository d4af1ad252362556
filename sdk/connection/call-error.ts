import { status, type ServiceError } from '@grpc/grpc-js';
import { transientStatuses } from '../../link/service-error.ts';
import { HatchetError, isError, type HatchetErrorCode } from '../errors.ts';
import { messageOf } from '../failure/describe-failure.ts';
import { fieldOf } from '../failure/safe-reads.ts';

export function isServiceError(error: unknown): error is ServiceError {
  return isError(error) && typeof fieldOf(error, 'code') === 'number' && fieldOf(error, 'metadata') !== undefined;
}

/** The answer to a call was lost, and making it again may do what it does twice. The cause is the ServiceError. */
export class AnswerLostError extends Error {}

/** What the transport says, without what it says around it: `connect ECONNREFUSED 127.0.0.1:7077`. */
export function detailsOf(error: ServiceError): string {
  if (isPlainServer(error)) return 'the TLS handshake failed';
  if (isRefusedClient(error)) return "the server refused this client's certificate, or wants one";
  if (/Last error: Failed to connect/.test(error.details)) return 'the server took the connection, and ended it';
  return error.details.replace(
    /^No connection established\. Last error: (?:Error: )?(.*?)\. Resolution note: ?(.*)$/s,
    (_all, last: string, note: string) => (note === '' ? last : `${last} (${note})`),
  );
}

/** A client that speaks TLS to a server that does not. */
export function isPlainServer(error: ServiceError): boolean {
  return error.code === status.UNAVAILABLE && /wrong version number|packet length too long/i.test(error.details);
}

/** What to do then. */
export const plainServer =
  'It does not speak TLS there: set HATCHET_CLIENT_TLS_STRATEGY=none, on a network that you trust';

/** A server whose certificate this client does not trust. Not the other way round, which comes as an alert. */
export function isDistrusted(error: ServiceError): boolean {
  return (
    error.code === status.UNAVAILABLE && /certificate|altnames/i.test(error.details) && !/alert/i.test(error.details)
  );
}

export const distrusted =
  'Name the authority that signed it in HATCHET_CLIENT_TLS_ROOT_CA_FILE, or the name that it is for in HATCHET_CLIENT_TLS_SERVER_NAME';

/** A server that wants a certificate of the client, or another one. */
export function isRefusedClient(error: ServiceError): boolean {
  return error.code === status.UNAVAILABLE && /alert (?:.*certificate|unknown ca)/i.test(error.details);
}

export const refusedClient =
  'Set HATCHET_CLIENT_TLS_STRATEGY=mtls, and HATCHET_CLIENT_TLS_CERT_FILE and HATCHET_CLIENT_TLS_KEY_FILE to a certificate that the engine trusts, and its key';

function remedyOf(error: ServiceError, code: HatchetErrorCode): string | undefined {
  if (isPlainServer(error)) return plainServer;
  if (isRefusedClient(error)) return refusedClient;
  // It says itself which role the call needs.
  if (error.code === status.PERMISSION_DENIED) return undefined;
  return isDistrusted(error) ? distrusted : remedies[code];
}

/** The gRPC status of an error, `undefined` for anything else. */
export function statusOf(error: unknown): status | undefined {
  return isServiceError(error) ? error.code : undefined;
}

export function isTransient(error: unknown): boolean {
  const code = statusOf(error);
  return code !== undefined && transientStatuses.has(code) && !isUnsendable(error);
}

/**
 * Whether the call was over before anything of it was sent: there was no connection, or the server has refused to take it up.
 * grpc-js says so only in words.
 */
export function hasNeverLeft(error: unknown): boolean {
  return isServiceError(error) && (isUnsendable(error) || isTurnedAway(error) || neverLeft.test(error.details));
}

const neverLeft = /^(?:\w+: )?No connection established|Waiting for LB pick|^Name resolution failed/;

/** The server is there, and did not take the call up: it asks its clients to go, as an engine does before it stops. */
export function isTurnedAway(error: unknown): boolean {
  return isServiceError(error) && error.code === status.UNAVAILABLE && turnedAway.test(error.details);
}

const turnedAway = /^Stream refused by server/;

/** A request that never left: a value of a type that the message does not take. grpc-js says so only in words. */
function isUnsendable(error: unknown): boolean {
  return isServiceError(error) && error.code === status.INTERNAL && error.details.startsWith(unsendable);
}

const unsendable = 'Request message serialization failure: ';

const codes: Partial<Record<status, HatchetErrorCode>> = {
  [status.UNAVAILABLE]: 'UNREACHABLE',
  [status.DEADLINE_EXCEEDED]: 'UNREACHABLE',
  [status.UNAUTHENTICATED]: 'UNAUTHENTICATED',
  [status.PERMISSION_DENIED]: 'UNAUTHENTICATED',
  [status.INVALID_ARGUMENT]: 'INVALID_ARGUMENT',
  [status.RESOURCE_EXHAUSTED]: 'PAYLOAD_TOO_LARGE',
  [status.UNIMPLEMENTED]: 'NOT_SUPPORTED',
};

const remedies: Partial<Record<HatchetErrorCode, string>> = {
  UNREACHABLE: 'Check that the engine runs (`npx hatchet engine status`) and that the address is right',
  UNAUTHENTICATED: 'Make a token with `npx hatchet token create` and set HATCHET_CLIENT_TOKEN',
};

/**
 * A failed call as the user sees it.
 * @param action what was tried, such as `trigger the workflow simple`
 * @param notFound the code for NOT_FOUND, which means something else at each call
 */
export function toHatchetError(
  error: unknown,
  action: string,
  notFound: HatchetErrorCode = 'ENGINE_ERROR',
): HatchetError {
  if (error instanceof HatchetError) return error;
  if (error instanceof AnswerLostError) {
    return new HatchetError(
      'NO_ANSWER',
      `could not ${action}: the answer was lost (${isServiceError(error.cause) ? detailsOf(error.cause) : messageOf(error.cause)}), and it may have been carried out all the same`,
      {
        cause: error.cause,
        remedy: 'Look whether it was before doing it again: this engine does not tell a repeated call from a new one',
      },
    );
  }
  if (!isServiceError(error))
    return new HatchetError('ENGINE_ERROR', `could not ${action}: ${messageOf(error)}`, { cause: error });
  if (isUnsendable(error))
    return new HatchetError(
      'INVALID_ARGUMENT',
      `could not ${action}: an option has a value of the wrong type (${error.details.slice(unsendable.length)})`,
      { cause: error, remedy: 'Check the options: a text where a number is needed, or the other way round' },
    );
  const code = error.code === status.NOT_FOUND ? notFound : (codes[error.code] ?? 'ENGINE_ERROR');
  return new HatchetError(code, `could not ${action}: ${detailsOf(error).replace(/\.$/, '')}`, {
    cause: error,
    remedy: remedyOf(error, code),
  });
}
