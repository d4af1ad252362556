import type { ClientConfig } from '../config/client-config.ts';
import { HatchetError, type HatchetErrorCode } from '../errors.ts';

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
 * @throws HatchetError UNREACHABLE, UNAUTHENTICATED, `notFound` for 404, INVALID_ARGUMENT for 400, ENGINE_ERROR
 */
export async function callRest<Answer>(config: ClientConfig, method: RestMethod, path: string, request: RestRequest = {}): Promise<Answer> {
  const url = new URL(`${config.apiUrl}${path}`);
  for (const [name, value] of Object.entries(request.query ?? {})) {
    for (const item of Array.isArray(value) ? value : [value]) if (item !== undefined) url.searchParams.append(name, String(item));
  }
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${config.token}`, ...(request.body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      signal: AbortSignal.timeout(request.timeoutMs ?? 15_000),
    });
    text = await response.text();
  } catch (error) {
    throw new HatchetError('UNREACHABLE', `could not reach ${config.apiUrl}`, { cause: error, remedy: 'Check that the engine runs and that HATCHET_CLIENT_API_URL is right' });
  }
  if (!response.ok) throw restError(response.status, text, { method, path, notFound: request.notFound ?? 'UNKNOWN_RUN' });
  return JSON.parse(text === '' ? 'null' : text);
}

function restError(status: number, text: string, { method, path, notFound }: { method: RestMethod; path: string; notFound: HatchetErrorCode }): HatchetError {
  // The engine's own words say what was asked and what to do; a proxy's page says neither.
  const what = described(text) ?? `${method} ${path} was refused (${status}): ${text.slice(0, 200)}`;
  if (status === 401 || status === 403) return new HatchetError('UNAUTHENTICATED', what, { remedy: 'Make a token with `npx hatchet token create`' });
  if (status === 404) return new HatchetError(notFound, what);
  return new HatchetError(status === 400 ? 'INVALID_ARGUMENT' : 'ENGINE_ERROR', what);
}

/** The first description of `{errors: [{description}]}`. */
function described(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    const errors: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'errors') : undefined;
    const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
    const description: unknown = typeof first === 'object' && first !== null ? Reflect.get(first, 'description') : undefined;
    return typeof description === 'string' && description !== '' ? description : undefined;
  } catch {
    return undefined; // no JSON
  }
}
