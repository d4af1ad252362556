import { subscribe } from 'node:diagnostics_channel';
import { ServerResponse, type IncomingMessage, type Server } from 'node:http';
import { AnswerChecks } from './answer-checks.ts';

/** Of a longer answer the status is checked alone. */
const longestChecked = 8 * 1024 * 1024;

const foreign = new WeakSet<object>();

/** Says that a server of this process is no engine, and that its answers are its own affair. */
export function isNoEngine(server: Server): void {
  foreign.add(server);
}

/**
 * From now on, each answer that a REST server of this process gives is compared with the OpenAPI document, whoever asked.
 * @param tell is told each difference
 */
export function checkAnswers(tell: (difference: string) => void): void {
  const checks = new AnswerChecks();
  subscribe('http.server.request.start', (message) => {
    if (!isArrival(message) || foreign.has(message.server)) return;
    const { request, response } = message;
    const { method = 'GET', url = '' } = request;
    if (!url.startsWith('/api/') || method === 'HEAD') return;
    const body = seenBody(response);
    response.once('finish', () => {
      const difference = checks.difference({ method, url, status: response.statusCode, body: body() });
      if (difference !== undefined) tell(difference);
    });
  });
}

interface Arrival {
  request: IncomingMessage;
  response: ServerResponse;
  server: object;
}

function isArrival(message: unknown): message is Arrival {
  return (
    typeof message === 'object' &&
    message !== null &&
    'response' in message &&
    message.response instanceof ServerResponse
  );
}

/** What is written from now on, as it will be sent; undefined once it is too long. */
function seenBody(response: ServerResponse): () => string | undefined {
  let chunks: Buffer[] = [];
  let size = 0;
  const keep = (chunk: unknown): void => {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk);
    size += bytes.length;
    if (size <= longestChecked) chunks.push(bytes);
    else chunks = [];
  };
  response.write = kept(response.write, keep);
  response.end = kept(response.end, keep);
  return () => (size <= longestChecked ? Buffer.concat(chunks).toString() : undefined);
}

/** The same function, that passes on the first of what it is given. */
function kept<F extends (...given: never[]) => unknown>(written: F, keep: (chunk: unknown) => void): F {
  return new Proxy(written, {
    apply(target, self, given: unknown[]): unknown {
      keep(given[0]);
      return Reflect.apply(target, self, given);
    },
  });
}
