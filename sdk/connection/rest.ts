import type { ClientConfig } from '../config/client-config.ts';
import { HatchetError, isError, type HatchetErrorCode } from '../errors.ts';
import { refuseInRunner } from '../isolation/in-runner/refuse-in-runner.ts';
import { runnerLevel } from '../isolation/in-runner/runner-port.ts';
import { requireJson } from '../json-text.ts';
import { hasOwnTls, requestWithOwnTls, type HttpAnswer, type HttpRequest } from './https-request.ts';

export type RestMethod = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Query parameters; a list is repeated, `undefined` is left out. */
export type RestQuery = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface RestRequest {
  query?: RestQuery;
  body?: unknown;
  /** Milliseconds. Default 15,000. */
  timeoutMs?: number;
  /** The code for 404, which means something else at each call. Default UNKNOWN_RUN. */
  notFound?: HatchetErrorCode;
}

/**
 * Calls the REST API and gives the JSON of its answer.
 * @throws HatchetError NOT_CONFIGURED, UNREACHABLE, UNAUTHENTICATED, `notFound` for 404, INVALID_ARGUMENT for 400, ENGINE_ERROR
 */
export async function callRest<Answer>(
  config: ClientConfig,
  method: RestMethod,
  path: string,
  request: RestRequest = {},
): Promise<Answer> {
  if (runnerLevel() !== undefined) await refuseInRunner('the engine');
  if (config.isApiPlainByToken) {
    throw new HatchetError(
      'NOT_CONFIGURED',
      `the access token names ${config.apiUrl}, where it would be sent in plain text`,
      {
        remedy:
          'Set HATCHET_CLIENT_API_URL to an https address, or HATCHET_CLIENT_TLS_STRATEGY=none on a network that you trust',
      },
    );
  }
  const url = new URL(`${config.apiUrl}${path}`);
  for (const [name, value] of Object.entries(request.query ?? {})) {
    for (const item of Array.isArray(value) ? value : [value])
      if (item !== undefined) url.searchParams.append(name, String(item));
  }
  const sent: HttpRequest = {
    method,
    headers: {
      authorization: `Bearer ${config.token}`,
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: request.body === undefined ? undefined : requireJson(request.body, 'what is sent'),
    signal: AbortSignal.timeout(request.timeoutMs ?? 15_000),
  };
  const { status, text } = await send(config, url, sent);
  if (status < 200 || status > 299)
    throw restError(status, text, { method, path, notFound: request.notFound ?? 'UNKNOWN_RUN' });
  return JSON.parse(text === '' ? 'null' : text);
}

async function send(config: ClientConfig, url: URL, request: HttpRequest): Promise<HttpAnswer> {
  try {
    if (hasOwnTls(config)) return await requestWithOwnTls(config, url, request);
    const { body, ...rest } = request;
    const response = await fetch(url, body === undefined ? rest : { ...rest, body });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    if (error instanceof HatchetError) throw error;
    throw new HatchetError('UNREACHABLE', `could not reach ${config.apiUrl}${tlsFailure(error)}`, {
      cause: error,
      remedy: 'Check that the engine runs and that HATCHET_CLIENT_API_URL is right',
    });
  }
}

/** What TLS found wrong; of other failures the address says enough. */
function tlsFailure(error: unknown): string {
  const cause = isError(error) && isError(error.cause) ? error.cause : error;
  const text = isError(cause) ? cause.message : '';
  return /certificate|altnames|tls|ssl/i.test(text) ? `: ${text}` : '';
}

function restError(
  status: number,
  text: string,
  { method, path, notFound }: { method: RestMethod; path: string; notFound: HatchetErrorCode },
): HatchetError {
  // The engine's own words say what was asked and what to do; a proxy's page says neither.
  const told = described(text);
  const what =
    told === 'not found'
      ? `nothing is found at ${path}`
      : (told ?? `${method} ${path} was refused (${status}): ${text.slice(0, 200)}`);
  if (status === 401 || status === 403)
    return new HatchetError('UNAUTHENTICATED', what, { remedy: 'Make a token with `npx hatchet token create`' });
  if (status === 404) return new HatchetError(notFound, what);
  return new HatchetError(status === 400 ? 'INVALID_ARGUMENT' : 'ENGINE_ERROR', what);
}

/** The first description of `{errors: [{description}]}`, or the `message` that a Hatchet cluster gives for some. */
function described(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    const errors: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'errors') : undefined;
    const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
    const description: unknown =
      typeof first === 'object' && first !== null ? Reflect.get(first, 'description') : undefined;
    const message: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'message') : undefined;
    return [description, message].find((words): words is string => typeof words === 'string' && words !== '');
  } catch {
    return undefined; // no JSON
  }
}
