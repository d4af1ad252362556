import type { Answers } from '../../proto/gen/rest/answers.ts';
import { EventStreamParser } from './event-stream.ts';
import { fieldsOf, type Fields } from './fields.ts';
import { refusalOf, refusalOfStream, unreachable } from './refusal.ts';

type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** Whoever reads a stream. */
export interface StreamReader {
  signal: AbortSignal;
  /** The engine has begun to answer; a message may be long in coming. */
  onOpen: () => void;
}

export interface RestRequest {
  /** What stands for `:name` in the route; the tenant is known. */
  parts?: Readonly<Record<string, string>>;
  query?: Query;
  body?: object;
  signal?: AbortSignal;
}

/** All that the page asks the engine, with the token of who is signed in. Every failure is a Refusal. */
export class EngineCalls {
  readonly tenantId: string;
  readonly #token: string;
  readonly #onRefusedToken: (reason: string) => void;

  constructor(options: { token: string; tenantId: string; onRefusedToken: (reason: string) => void }) {
    this.tenantId = options.tenantId;
    this.#token = options.token;
    this.#onRefusedToken = options.onRefusedToken;
  }

  /** A unary method of the monitoring service. */
  async monitor(method: string, request: object, signal?: AbortSignal): Promise<Fields> {
    const response = await this.#send(`/api/v1/monitor/${method}`, { method: 'POST', body: request, signal });
    return fieldsOf(JSON.parse(await textOf(response)));
  }

  /** A streaming method. Ends where the engine says that there is no more; a cut is a Refusal that may pass. */
  async *stream(method: string, request: object, reader: StreamReader): AsyncGenerator<Fields, void, undefined> {
    const response = await this.#send(`/api/v1/monitor/${method}`, {
      method: 'POST',
      body: request,
      signal: reader.signal,
      accept: 'text/event-stream',
    });
    reader.onOpen();
    const parser = new EventStreamParser();
    for await (const piece of pieces(response)) {
      for (const { event, data } of parser.push(piece)) {
        if (event === 'end') return;
        if (event === 'error') throw this.#checked(refusalOfStream(data));
        if (event === 'message') yield fieldsOf(JSON.parse(data));
      }
    }
    throw unreachable(new Error('the stream was cut'));
  }

  /** @param route as in the contract, such as `GET /api/v1/workers/:worker` */
  async rest<R extends keyof Answers>(route: R, request: RestRequest = {}): Promise<Answers[R]> {
    const [method = 'GET', pattern = ''] = route.split(' ');
    const parts: Readonly<Record<string, string>> = { tenant: this.tenantId, ...request.parts };
    const path = pattern.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(parts[name] ?? ''));
    const response = await this.#send(`${path}${queryText(request.query ?? {})}`, {
      method,
      body: request.body,
      signal: request.signal,
    });
    const body = await textOf(response);
    const answer: Answers[R] = body === '' ? null : JSON.parse(body);
    return answer;
  }

  async #send(
    path: string,
    options: { method: string; body?: object | undefined; signal?: AbortSignal | undefined; accept?: string },
  ): Promise<Response> {
    const { method, body, signal, accept = 'application/json' } = options;
    let response: Response;
    try {
      response = await fetch(path, {
        method,
        headers: {
          Authorization: `Bearer ${this.#token}`,
          Accept: accept,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
        credentials: 'omit',
        cache: 'no-store',
      });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw unreachable(error);
    }
    if (response.ok) return response;
    throw this.#checked(refusalOf(response.status, await textOf(response)));
  }

  #checked(refusal: ReturnType<typeof refusalOf>): ReturnType<typeof refusalOf> {
    if (refusal.status === 401) this.#onRefusedToken(refusal.message);
    return refusal;
  }
}

async function textOf(response: Response): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    throw unreachable(error);
  }
}

async function* pieces(response: Response): AsyncGenerator<string, void, undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } catch (error) {
    throw unreachable(error);
  } finally {
    // Cancelling a stream that failed fails once more, and says nothing new.
    void reader.cancel().catch(() => undefined);
  }
}

function queryText(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    if (Array.isArray(value)) for (const item of value) params.append(name, String(item));
    else params.set(name, String(value));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}
