import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { getRequestListener } from '@hono/node-server';
import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Address } from '../base/engine-options.ts';
import { invalid } from '../edge/parse/invalid.ts';
import { HatchetError } from '../base/errors.ts';
import { maxPayloadBytes } from '../model/limits.ts';
import { isLoopbackHost } from '../net/bind-address.ts';
import { connectionLimits } from '../net/connection-guard.ts';
import { listen, type SocketSource } from '../net/listen.ts';
import type { TlsIdentity } from '../net/tls-identity.ts';
import type { RestDeps, RestEnv } from './deps.ts';
import { errorAnswer } from './error-answer.ts';
import { hostCheck } from './host-check.ts';
import { servePage } from './page/page-answers.ts';
import { authenticate, registerHealth, registerRoutes } from './routes.ts';
import { registerWebhookReceiver } from './webhooks/webhook-receiver.ts';

export interface RestServer {
  address: Address;
  stop(): Promise<void>;
}

/** Characters of a path with its query: a list of 1,000 ids is 50,000. */
const longestAddress = 64 * 1024;

/** An input, its metadata, and what is around them; each is checked by itself as well. */
const maxBodyBytes = 2 * maxPayloadBytes + 1024 * 1024;

/** A head within 10 s, also from who says nothing; a body within a minute; a connection between requests lives longer than a proxy's usual minute. */
const limits: ServerOptions = {
  // Room for the longest address, with the headers: Node's own 16 KiB end such a connection without a word of what is wrong.
  maxHeaderSize: 2 * longestAddress,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2_500,
};

export interface RestOptions extends RestDeps {
  host: string;
  port: number;
  /** In place of a port of its own. */
  sockets?: SocketSource | undefined;
  tls: TlsIdentity | undefined;
  /** See `EngineOptions.allowedHosts`. */
  allowedHosts: readonly string[];
}

/** The API as an app, without a port. */
async function restApp(deps: RestOptions): Promise<Hono<RestEnv>> {
  const app = new Hono<RestEnv>();
  app.notFound((context) =>
    context.json({ errors: [{ description: `there is no ${context.req.method} ${context.req.path} here` }] }, 404),
  );
  app.onError((thrown, context) => errorAnswer(context, thrown, deps.log));
  app.use(async (context, next) => {
    checkAddress(context.req.url);
    await next();
  });
  // Before the others: strangers have no token, and may send less. And before the check of the host: a tunnel to this machine
  // passes requests on under its own name, and each has the webhook's credentials.
  registerWebhookReceiver(app, deps);
  if (await isLoopbackHost(deps.host)) app.use(hostCheck({ allowed: [deps.host, ...deps.allowedHosts] }));
  if (deps.page !== undefined) servePage(app, deps.page.files);
  registerHealth(app, deps);
  authenticate(app, deps);
  app.use(limitBody);
  registerRoutes(app, deps);
  return app;
}

function bodyTooLarge(): never {
  throw new HatchetError('PAYLOAD_TOO_LARGE', `the body is larger than ${maxBodyBytes} bytes`, {
    details: { limit: maxBodyBytes },
    remedy: 'Store large data elsewhere and pass a reference to it.',
  });
}

const limitCounted = bodyLimit({ maxSize: maxBodyBytes, onError: bodyTooLarge });

/**
 * A body that was opened and is not read to its end holds up its connection, which is cut half a second later, with the next request on
 * it. So one whose length is told stays closed until somebody reads it, and of one whose bytes are counted the rest is read.
 */
const limitBody: MiddlewareHandler<RestEnv> = async (context, next) => {
  const length = context.req.header('content-length');
  if (Number(length) > maxBodyBytes) bodyTooLarge();
  if (length !== undefined) return next();
  const answer = await limitCounted(context, next);
  const { body } = context.req.raw;
  if (body !== null && !body.locked) void readToEnd(body);
  return answer;
};

async function readToEnd(body: ReadableStream): Promise<void> {
  const reader = body.getReader();
  try {
    while (!(await reader.read()).done);
  } catch {
    // It is too long, or its client has gone: the connection ends.
  }
}

/** @throws HatchetError INVALID_ARGUMENT */
function checkAddress(url: string): void {
  if (url.length > longestAddress)
    throw invalid(`the address has ${url.length} characters`, `Use up to ${longestAddress}.`);
  if (url.includes('%00')) throw invalid('the address holds a NUL character', 'Remove %00.');
}

/** @throws HatchetError PORT_TAKEN */
export async function startRest(options: RestOptions): Promise<RestServer> {
  return serveApp(await restApp(options), 'http', options);
}

interface Served extends Address {
  sockets?: SocketSource | undefined;
  tls: TlsIdentity | undefined;
}

/** Listens for requests of an app. @throws HatchetError PORT_TAKEN */
export async function serveApp(app: Hono<RestEnv>, kind: 'http' | 'metrics', options: Served): Promise<RestServer> {
  const listener = getRequestListener(app.fetch);
  const server = httpServer(options.tls, (request, response) => void listener(request, response));
  server.maxConnections = connectionLimits.connections;
  const address = await listen(server, kind, options);
  return { address, stop: () => close(server) };
}

function httpServer(tls: TlsIdentity | undefined, onRequest: RequestListener): Server {
  if (tls === undefined) return createServer(limits, onRequest);
  const server = createTlsServer({ ...tls.serverOptions, ...limits }, onRequest);
  tls.serve(server);
  return server;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
