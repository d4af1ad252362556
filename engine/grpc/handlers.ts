import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  MethodDefinition,
  ServerDuplexStream,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { noCaller, type Caller } from '../edge/access/caller.ts';
import type { CallFacts, Gate } from '../edge/access/gate.ts';
import { ruleOf, type MethodPath } from '../edge/access/method-rules.ts';
import { HatchetError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { longestInline } from '../model/limits.ts';
import { Held } from '../monitor/budget/answers-in-flight.ts';
import type { TenantTurns } from '../base/tenant-turns.ts';
import { releaseOnceSent } from './send-message.ts';
import type { GrpcService } from './grpc-server.ts';
import type { ConnectionGuard } from '../net/connection-guard.ts';
import { toServiceError } from './service-error.ts';

/** What every service needs at its edge. */
export interface Edge {
  gate: Gate;
  log: Logger;
  /** Of the port on which the calls come. */
  connections: ConnectionGuard;
  turns: TenantTurns;
}

/** A stream of a client's and one to it, once it is known whose it is. */
export interface Duplex<Req> {
  handle(request: Req): void;
  /** The stream is over, from whichever side. */
  end(): void;
}

/** An answer with initial metadata of its own. */
export class Headed<Res> {
  readonly value: Res;
  readonly metadata: Metadata;

  constructor(value: Res, metadata: Metadata) {
    this.value = value;
    this.metadata = metadata;
  }
}

interface Method {
  path: MethodPath;
  requestStream: boolean;
  responseStream: boolean;
}

type RequestOf<M> = M extends { requestDeserialize: (bytes: Buffer) => infer Req } ? Req : never;
type ResponseOf<M> = M extends { responseDeserialize: (bytes: Buffer) => infer Res } ? Res : never;

/**
 * One method's handler, in the form that its kind asks for. A server stream ends with OK once its handler returns; the room of
 * a held answer is given back once that is sent.
 */
type Handler<M extends Method> = M['requestStream'] extends true
  ? (
      call: ServerDuplexStream<RequestOf<M>, ResponseOf<M>>,
      caller: Caller,
      fail: (error: unknown) => void,
    ) => Duplex<RequestOf<M>>
  : M['responseStream'] extends true
    ? (call: ServerWritableStream<RequestOf<M>, ResponseOf<M>>, caller: Caller, signal: AbortSignal) => Promise<void>
    : (
        request: RequestOf<M>,
        caller: Caller,
        metadata: Metadata,
      ) => Promise<ResponseOf<M> | Held<ResponseOf<M>> | Headed<ResponseOf<M>>>;

export type Handlers<Service> = {
  [Name in keyof Service]: Service[Name] extends Method ? Handler<Service[Name]> : never;
};

/** The service, with the gate before each of its methods: none can be served around it. */
export function serve<Service extends { [Name in keyof Service]: Method }>(
  edge: Edge,
  definition: ServiceDefinition & Service,
  handlers: Handlers<Service>,
): GrpcService {
  const implementation: UntypedServiceImplementation = {};
  for (const [name, method] of Object.entries<MethodDefinition<unknown, unknown>>(definition)) {
    const handler: unknown = Reflect.get(handlers, name);
    const rule = ruleOf(method.path);
    if (rule === undefined) throw new Error(`${method.path} has no rule of who may call it`);
    const gated = { edge, facts: { rule, action: method.path } };
    // The type of `handlers` has paired them; here only the descriptor tells which kind it is.
    if (method.requestStream && isDuplexHandler(handler)) implementation[name] = duplex(gated, handler);
    else if (method.responseStream && isStreamHandler(handler)) implementation[name] = serverStream(gated, handler);
    else if (isUnaryHandler(handler)) implementation[name] = unary(gated, handler);
  }
  return { definition: tolerant(definition), implementation };
}

/** Bytes that are no message of the method's type. */
class Malformed {
  readonly reason: string;

  constructor(error: unknown) {
    this.reason = error instanceof Error ? error.message : String(error);
  }
}

/** A long message, which is decoded in its turn, once it is known whose it is. */
class Unread {
  readonly #decode: (bytes: Buffer) => unknown;
  #bytes: Buffer | undefined;

  constructor(bytes: Buffer, decode: (bytes: Buffer) => unknown) {
    this.#bytes = bytes;
    this.#decode = decode;
  }

  /** Once: its bytes are not kept as long as the call lives. */
  read(): unknown {
    const bytes = this.#bytes ?? Buffer.alloc(0);
    this.#bytes = undefined;
    return this.#decode(bytes);
  }
}

/** The library answers bytes that it cannot decode with INTERNAL, which is the engine's fault; these are the caller's. */
function tolerant(definition: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => {
      const decode = (bytes: Buffer): unknown => {
        try {
          return method.requestDeserialize(bytes);
        } catch (error) {
          return new Malformed(error);
        }
      };
      const mayWait = !method.requestStream && !method.responseStream && ruleOf(method.path)?.needs !== 'anyone';
      const requestDeserialize = (bytes: Buffer): unknown =>
        mayWait && bytes.length > longestInline ? new Unread(bytes, decode) : decode(bytes);
      return [name, { ...method, requestDeserialize }];
    }),
  );
}

/** @throws HatchetError INVALID_ARGUMENT */
function wellFormed<Req>(request: Req): Req {
  if (request instanceof Malformed)
    throw new HatchetError('INVALID_ARGUMENT', `the request is no message of the method: ${request.reason}`, {
      remedy: 'Send what the contract of this version says.',
    });
  return request;
}

type UnaryHandler = (request: unknown, caller: Caller, metadata: Metadata) => Promise<unknown>;
type StreamHandler = (
  call: ServerWritableStream<unknown, unknown>,
  caller: Caller,
  signal: AbortSignal,
) => Promise<void>;
type DuplexHandler = (
  call: ServerDuplexStream<unknown, unknown>,
  caller: Caller,
  fail: (error: unknown) => void,
) => Duplex<unknown>;

function isUnaryHandler(value: unknown): value is UnaryHandler {
  return typeof value === 'function';
}

function isStreamHandler(value: unknown): value is StreamHandler {
  return typeof value === 'function';
}

function isDuplexHandler(value: unknown): value is DuplexHandler {
  return typeof value === 'function';
}

interface Gated {
  edge: Edge;
  facts: Omit<CallFacts, 'address'>;
}

function authorization(metadata: Metadata): string | undefined {
  const [value] = metadata.get('authorization');
  return typeof value === 'string' ? value : undefined;
}

/** `ipv4:127.0.0.1:5000`, `[::1]:5000` or `127.0.0.1:5000`, without the port. */
export function hostOf(peer: string): string {
  return peer
    .replace(/^ipv[46]:/, '')
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1');
}

/** The connection has shown a good token: it is no stranger's any more. */
function welcome({ connections }: Edge, call: { getPeer(): string }): void {
  if (connections.hasStrangers) connections.admit(call.getPeer());
}

/** A unary call. The commonest of all: known tokens cost it no promise. */
function unary<Res>(
  { edge, facts: { rule, action } }: Gated,
  handle: (request: unknown, caller: Caller, metadata: Metadata) => Promise<Res | Held<Res> | Headed<Res>>,
): handleUnaryCall<unknown, Res> {
  const { gate, log } = edge;
  return (call, callback) => {
    const facts: CallFacts = { rule, action, address: () => hostOf(call.getPeer()) };
    const fail = (error: unknown): void => callback(toServiceError(error, log));
    const answer = (response: Res | Held<Res> | Headed<Res>): void => {
      if (response instanceof Headed) {
        call.sendMetadata(response.metadata);
        return callback(null, response.value);
      }
      if (!(response instanceof Held)) return callback(null, response);
      releaseOnceSent(call, response.reservation);
      callback(null, response.value);
    };
    /** An answer that cannot be given keeps no room. */
    const drop = (response: Res | Held<Res> | Headed<Res>, error: unknown): void => {
      if (response instanceof Held) response.reservation.release();
      fail(error);
    };
    const run = (identity: Caller['identity']): void => {
      welcome(edge, call);
      const caller = gate.admit(identity, facts);
      if (!(call.request instanceof Unread)) return carryOut(call.request, caller);
      const { request } = call;
      edge.turns.take(caller.tenantId, () => {
        try {
          if (!call.cancelled) carryOut(request.read(), caller);
        } catch (error) {
          fail(error);
        }
      });
    };
    const carryOut = (request: unknown, caller: Caller): void => {
      handle(wellFormed(request), caller, call.metadata).then(
        (response) => {
          try {
            const noted = gate.note(caller, facts);
            if (noted === undefined) answer(response);
            else noted.then(() => answer(response)).catch((error: unknown) => drop(response, error));
          } catch (error) {
            drop(response, error);
          }
        },
        (error: unknown) => {
          void gate.note(caller, facts, error);
          fail(error);
        },
      );
    };
    try {
      if (rule.needs === 'anyone') {
        handle(wellFormed(call.request), noCaller, call.metadata).then(answer, fail);
        return;
      }
      const identity = gate.identify(authorization(call.metadata));
      if (identity instanceof Promise) identity.then(run).catch(fail);
      else run(identity);
    } catch (error) {
      fail(error);
    }
  };
}

/** A server stream. The signal aborts when the client goes; a handler that returns ends the stream with OK. */
function serverStream<Req, Res>(
  { edge, facts: { rule, action } }: Gated,
  handle: (call: ServerWritableStream<Req, Res>, caller: Caller, signal: AbortSignal) => Promise<void>,
): handleServerStreamingCall<Req, Res> {
  return (call) => {
    const gone = new AbortController();
    let ended: HatchetError | undefined;
    call.on('cancelled', () => gone.abort());
    call.on('close', () => gone.abort());
    const run = async (): Promise<void> => {
      const identity = await edge.gate.identify(authorization(call.metadata));
      welcome(edge, call);
      const caller = edge.gate.admit(identity, { rule, action, address: () => hostOf(call.getPeer()) });
      if (gone.signal.aborted) return;
      const release = edge.gate.hold(caller, (error) => {
        ended = error;
        gone.abort();
      });
      try {
        wellFormed(call.request);
        await handle(call, caller, gone.signal);
      } finally {
        release();
      }
      if (ended !== undefined) throw ended;
    };
    run().then(
      () => call.end(),
      (error: unknown) => call.emit('error', toServiceError(ended ?? error, edge.log)),
    );
  };
}

/** Requests that may wait while a stream's token is checked: nobody knows yet whose they are. */
const mostEarly = 1_000;

/** Both directions are open from the start: what comes before the token is checked waits. */
function duplex<Req, Res>(
  { edge, facts: { rule, action } }: Gated,
  begin: (call: ServerDuplexStream<Req, Res>, caller: Caller, fail: (error: unknown) => void) => Duplex<Req>,
): handleBidiStreamingCall<Req, Res> {
  return (call) => {
    const early: Req[] = [];
    let handle = (request: Req): void => {
      early.push(request);
      if (early.length >= mostEarly) call.pause();
    };
    let end = (): void => undefined;
    let release = (): void => undefined;
    let over = false;
    let opened = false;
    /** The client has nothing more to say. It hears of a wrong token all the same. */
    let halfClosed = false;
    const stop = (): void => {
      if (over) return;
      over = true;
      release();
      end();
    };
    const fail = (error: unknown): void => {
      if (over) return;
      stop();
      call.emit('error', toServiceError(error, edge.log));
    };
    const guarded = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        fail(error);
      }
    };
    call.on('data', (request: Req) => guarded(() => handle(request)));
    call.on('cancelled', stop);
    call.on('error', stop);
    const close = (): void => {
      halfClosed = true;
      if (over || !opened) return;
      stop();
      call.end();
    };
    call.on('end', close);
    const open = async (): Promise<void> => {
      const identity = await edge.gate.identify(authorization(call.metadata));
      welcome(edge, call);
      const caller = edge.gate.admit(identity, { rule, action, address: () => hostOf(call.getPeer()) });
      if (over) return;
      release = edge.gate.hold(caller, fail);
      const begun = begin(call, caller, fail);
      handle = (request) => begun.handle(wellFormed(request));
      end = () => begun.end();
      for (const request of early.splice(0)) guarded(() => begun.handle(wellFormed(request)));
      opened = true;
      call.resume();
      if (halfClosed) close();
    };
    open().catch(fail);
  };
}

/** Writes, and waits while the client reads slower than the engine writes. */
export async function writeTo<Req, Res>(
  call: ServerWritableStream<Req, Res>,
  message: Res,
  signal: AbortSignal,
): Promise<void> {
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
export function unsupported(name: string): () => Promise<never> {
  return () =>
    Promise.reject(
      new HatchetError('NOT_SUPPORTED', `${name} is not served by this version of the engine`, {
        remedy: 'Upgrade hatchet-ts once a version serves it.',
      }),
    );
}
