import type {
  Metadata,
  MethodDefinition,
  ServerDuplexStream,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Caller } from '../edge/access/caller.ts';
import { ruleOf, type MethodPath } from '../edge/access/method-rules.ts';
import { HatchetError } from '../base/errors.ts';
import type { Held } from '../monitor/budget/answers-in-flight.ts';
import { duplex } from './calls/duplex-call.ts';
import { raw } from './calls/raw-message.ts';
import { serverStream, type LinkedStream } from './calls/stream-call.ts';
import { unary, type LinkedUnary } from './calls/unary-call.ts';
import type { LinkedCall } from './by-link/linked-calls.ts';
import type { Duplex, Edge, Headed } from './edge.ts';
import type { GrpcService } from './grpc-server.ts';

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
      address: () => string,
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

/** How an edge passes a method's calls on by its link to the owner, in place of as they are. */
type LinkedHandler<M extends Method> = M['requestStream'] extends true
  ? never
  : M['responseStream'] extends true
    ? (
        call: ServerWritableStream<RequestOf<M>, ResponseOf<M>>,
        linked: Omit<LinkedCall, 'metadata'>,
        signal: AbortSignal,
      ) => Promise<void>
    : (request: RequestOf<M>, linked: LinkedCall) => Promise<ResponseOf<M>>;

type LinkedHandlers<Service> = {
  [Name in keyof Service]?: Service[Name] extends Method ? LinkedHandler<Service[Name]> : never;
};

/** The service, with the gate before each of its methods: none can be served around it. */
export function serve<Service extends { [Name in keyof Service]: Method }>(
  edge: Edge,
  definition: ServiceDefinition & Service,
  handlers: Handlers<Service>,
  linked: LinkedHandlers<Service> = {},
): GrpcService {
  const implementation: UntypedServiceImplementation = {};
  for (const [name, method] of Object.entries<MethodDefinition<unknown, unknown>>(definition)) {
    const handler: unknown = Reflect.get(handlers, name);
    const byLink: unknown = edge.ownerLinks === undefined ? undefined : Reflect.get(linked, name);
    const rule = ruleOf(method.path);
    if (rule === undefined) throw new Error(`${method.path} has no rule of who may call it`);
    const gated = { edge, facts: { rule, action: method.path } };
    // The type of `handlers` has paired them; here only the descriptor tells which kind it is.
    if (method.requestStream && isDuplexHandler(handler)) implementation[name] = duplex(gated, handler);
    else if (method.responseStream && isStreamHandler(handler))
      implementation[name] = serverStream(gated, handler, isLinkedStream(byLink) ? byLink : undefined);
    else if (isUnaryHandler(handler))
      implementation[name] = unary(gated, handler, {
        encode: method.requestSerialize,
        byLink: isLinkedUnary(byLink) ? byLink : undefined,
      });
  }
  return { definition: raw(definition), implementation };
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
  address: () => string,
) => Duplex<unknown>;

function isLinkedStream(value: unknown): value is LinkedStream {
  return typeof value === 'function';
}

function isLinkedUnary(value: unknown): value is LinkedUnary<unknown> {
  return typeof value === 'function';
}

function isUnaryHandler(value: unknown): value is UnaryHandler {
  return typeof value === 'function';
}

function isStreamHandler(value: unknown): value is StreamHandler {
  return typeof value === 'function';
}

function isDuplexHandler(value: unknown): value is DuplexHandler {
  return typeof value === 'function';
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

/** A call that the contract has still, and that Hatchet's engines refuse too. @param remedy what to do in its stead */
export function unsupported(name: string, remedy: string): () => Promise<never> {
  return () => Promise.reject(new HatchetError('NOT_SUPPORTED', `${name} is served no more`, { remedy }));
}
