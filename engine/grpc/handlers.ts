import type { handleServerStreamingCall, handleUnaryCall, Metadata, ServerWritableStream } from '@grpc/grpc-js';
import type { Identity, Tokens } from '../auth/tokens.ts';
import { HatchetError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { Held } from '../monitor/answers-in-flight.ts';
import { releaseOnceSent } from './send-message.ts';
import { toServiceError } from './status.ts';

/** What every service needs at its edge. */
export interface Edge {
  tokens: Tokens;
  log: Logger;
}

/** @throws HatchetError UNAUTHENTICATED */
export function bearer(metadata: Metadata): string {
  const [value] = metadata.get('authorization');
  const match = typeof value === 'string' ? /^bearer (.+)$/i.exec(value) : null;
  if (match?.[1] === undefined) {
    throw new HatchetError('UNAUTHENTICATED', 'the call carries no token', { remedy: 'Set HATCHET_CLIENT_TOKEN, or send the metadata `authorization: bearer <token>`.' });
  }
  return match[1];
}

/** A unary call: authenticated, and with every error put into gRPC's words. A held answer's room is given back once it is sent. */
export function unary<Req, Res>(edge: Edge, handle: (request: Req, caller: Identity, metadata: Metadata) => Promise<Res | Held<Res>>): handleUnaryCall<Req, Res> {
  return (call, callback) => {
    const fail = (error: unknown): void => callback(toServiceError(error, edge.log));
    const run = (caller: Identity): void => {
      handle(call.request, caller, call.metadata).then((response) => {
        if (!(response instanceof Held)) return callback(null, response);
        releaseOnceSent(call, response.reservation);
        callback(null, response.value);
      }, fail);
    };
    try {
      const token = bearer(call.metadata);
      const known = edge.tokens.cached(token);
      if (known === undefined) edge.tokens.authenticate(token).then(run).catch(fail);
      else run(known);
    } catch (error) {
      fail(error);
    }
  };
}

/** A server stream. The signal aborts when the client goes; a handler that returns ends the stream with OK. */
export function serverStream<Req, Res>(
  edge: Edge,
  handle: (call: ServerWritableStream<Req, Res>, caller: Identity, signal: AbortSignal) => Promise<void>,
): handleServerStreamingCall<Req, Res> {
  return (call) => {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    call.on('close', () => gone.abort());
    const run = async (): Promise<void> => handle(call, await edge.tokens.authenticate(bearer(call.metadata)), gone.signal);
    run().then(
      () => call.end(),
      (error: unknown) => call.emit('error', toServiceError(error, edge.log)),
    );
  };
}

/** Writes, and waits while the client reads slower than the engine writes. */
export async function writeTo<Req, Res>(call: ServerWritableStream<Req, Res>, message: Res, signal: AbortSignal): Promise<void> {
  if (signal.aborted || call.write(message)) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      call.off('drain', go);
      signal.removeEventListener('abort', go);
      resolve();
    };
    call.on('drain', go);
    signal.addEventListener('abort', go);
  });
}

/** A call of the contract that this version does not serve. */
export function unsupported<Req, Res>(edge: Edge, name: string): handleUnaryCall<Req, Res> {
  return unary(edge, () => Promise.reject(new HatchetError('NOT_SUPPORTED', `${name} is not served by this version of the engine`, { remedy: 'Upgrade hatchet-ts once a version serves it.' })));
}
