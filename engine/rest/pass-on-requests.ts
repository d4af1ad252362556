import { Readable } from 'node:stream';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from 'hono';
import type { TenantId } from '../model/ids/tenant-id.ts';
import { HatchetError } from '../base/errors.ts';
import { forwardedHeader } from '../replicas/forwarded-for.ts';
import { notTaken } from '../replicas/routes-to-peers.ts';
import { addressOf } from './client-address.ts';
import type { PassingOn, RestEnv } from './deps.ts';

/** A body up to this length is kept, so that a request that nobody has taken is made again. */
const longestKept = 64 * 1024;
/** In an answer: nothing of the request was carried out, since another engine has the shard. */
export const movedHeader = 'hatchet-moved';
/** Of a connection, not of a request or an answer. */
const ofTheConnection = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'host']);

/**
 * The answer of the engine that a tenant's requests are for, where that is another one.
 * @param read the body, where it was read already
 * @throws HatchetError NOT_OWNER
 */
export async function passOnRequest(
  { routes, requests }: PassingOn,
  context: Context<RestEnv>,
  tenantId: TenantId,
  read?: Buffer,
): Promise<Response | undefined> {
  const { incoming } = context.env;
  const client = routes.forwardedFor.open(context.req.header(forwardedHeader));
  if (client !== undefined) context.set('client', client);
  const forwarded = client !== undefined;
  if ((await routes.settledPeerFor(tenantId, { forwarded })) === undefined) return undefined;
  const body = read ?? (await keptBody(incoming));
  const headers = {
    ...withoutConnection(incoming.headers),
    [forwardedHeader]: routes.forwardedFor.seal(addressOf(context)),
    ...(Buffer.isBuffer(body) ? { 'content-length': String(body.length) } : {}),
  };
  const passed = { method: context.req.method, path: incoming.url ?? '/', headers, body };
  const answer = await routes.passOnRequest(
    tenantId,
    Buffer.isBuffer(body) ? body.length : 0,
    async (peer) => {
      const response = await requests.send(peer, passed).catch((error: unknown) => {
        throw lostOnTheWay(error);
      });
      if (response === notTaken || response.headers[movedHeader] === undefined || !Buffer.isBuffer(body))
        return response;
      response.resume();
      return notTaken;
    },
    () => undefined,
  );
  if (answer === undefined) {
    // It is for this engine after all; its body is read already.
    if (read === undefined && Buffer.isBuffer(body) && body.length > 0)
      context.req.raw = withBody(context.req.raw, body);
    return undefined;
  }
  return new Response(hasBody(answer) ? bodyOf(answer, context.env.outgoing) : null, {
    status: answer.statusCode ?? 502,
    headers: pairs(withoutConnection(answer.headers)),
  });
}

function withBody({ url, method, headers }: Request, body: Buffer): Request {
  return new Request(url, { method, headers, body });
}

function lostOnTheWay(cause: unknown): HatchetError {
  return new HatchetError('STOPPING', 'the engine that has this tenant was lost before its answer came', {
    cause,
    remedy: 'Whether it was carried out is not known: look, then try again.',
  });
}

function withoutConnection(headers: NodeJS.Dict<string | string[]>): NodeJS.Dict<string | string[]> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ofTheConnection.has(name)));
}

function pairs(headers: NodeJS.Dict<string | string[]>): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((each): [string, string] => [name, each]),
  );
}

function hasBody({ statusCode }: IncomingMessage): boolean {
  return statusCode !== 204 && statusCode !== 304;
}

/**
 * The body as it comes. Where its engine is lost in the middle, the client's connection is cut as well: it takes no part for the whole.
 * To fail the stream in place of that would be told to nobody but the process's stderr.
 */
function bodyOf(answer: IncomingMessage, outgoing: ServerResponse): ReadableStream {
  const reader: ReadableStreamDefaultReader<unknown> = Readable.toWeb(answer).getReader();
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch {
          outgoing.destroy();
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

async function keptBody(incoming: IncomingMessage): Promise<Buffer | Readable> {
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers;
  if (length === undefined && encoding === undefined) return Buffer.alloc(0);
  if (encoding !== undefined || Number(length) > longestKept) return incoming;
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
}
