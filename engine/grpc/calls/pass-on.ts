import {
  Metadata,
  status,
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type Deadline,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import { statusIn } from '../../../link/service-error.ts';
import { forwardedHeader } from '../../replicas/forwarded-for.ts';
import { notTaken } from '../../replicas/routes-to-peers.ts';
import { RawAnswer } from './raw-message.ts';
import type { StreamRequests } from './stream-requests.ts';

/** In the trailers of an answer: nothing of the call was carried out, since another engine has the shard. */
export const movedTrailer = 'hatchet-moved';

/** A call on its way to another engine. */
export interface Passage {
  path: string;
  /** The client's, sealed. */
  forwardedFor: string;
}

const asIs = (bytes: Buffer): Buffer => bytes;

interface AnyCall {
  metadata: Metadata;
  getDeadline(): Deadline;
}

/** What the library writes itself, on each connection anew. */
const ofTheConnection = /^(?:grpc-(?!status-details-bin)|content-type$|user-agent$|te$|date$|:)/;

function passedOn(metadata: Metadata): Metadata {
  const kept = new Metadata();
  for (const key of Object.keys(metadata.getMap()))
    if (!ofTheConnection.test(key)) for (const value of metadata.get(key)) kept.add(key, value);
  return kept;
}

function requestMetadata(call: AnyCall, { forwardedFor }: Passage): Metadata {
  const metadata = passedOn(call.metadata);
  metadata.set(forwardedHeader, forwardedFor);
  return metadata;
}

function isNotTaken(error: { code: status; metadata: Metadata }): boolean {
  return error.code === status.UNAVAILABLE && error.metadata.get(movedTrailer).length > 0;
}

/** Another engine's refusal, or what became of the connection to it. */
export class PeerError extends Error implements ServiceError {
  override readonly name = 'PeerError';
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;

  constructor({ code, details, metadata }: StatusObject) {
    super(details);
    this.code = code;
    this.details = details;
    this.metadata = passedOn(metadata);
  }

  /** As the audit log has it. */
  get errorCode(): string | undefined {
    const [code] = this.metadata.get('hatchet-error-code');
    return typeof code === 'string' ? code : undefined;
  }
}

/** What a link's client says of a refusal, as the refusal of the call that asked. */
export function refusedByOwner(error: unknown): unknown {
  const code = statusIn(error);
  if (code === undefined || !(error instanceof Error)) return error;
  const metadata = 'metadata' in error && error.metadata instanceof Metadata ? error.metadata : new Metadata();
  const details = 'details' in error && typeof error.details === 'string' ? error.details : error.message;
  return new PeerError({ code, details, metadata });
}

/** @returns `notTaken`, or the other engine's answer. @throws its error */
export function passOnUnary(
  client: Client,
  call: ServerUnaryCall<unknown, unknown>,
  passage: Passage & { bytes: Buffer },
): Promise<RawAnswer | typeof notTaken> {
  return new Promise((resolve, reject) => {
    const upstream: ClientUnaryCall = client.makeUnaryRequest(
      passage.path,
      asIs,
      asIs,
      passage.bytes,
      requestMetadata(call, passage),
      { deadline: call.getDeadline() },
      (error, answer) => {
        call.off('cancelled', cancel);
        if (error === null) resolve(new RawAnswer(answer ?? Buffer.alloc(0)));
        else if (isNotTaken(error)) resolve(notTaken);
        else reject(new PeerError(error));
      },
    );
    const cancel = (): void => upstream.cancel();
    upstream.on('metadata', (metadata) => sendHead(call, metadata));
    call.on('cancelled', cancel);
  });
}

/**
 * @param passage.signal ends the other engine's stream
 * @returns `notTaken`, or undefined once the stream has ended as the other engine ended it
 */
export function passOnStream(
  client: Client,
  call: ServerWritableStream<unknown, unknown>,
  passage: Passage & { bytes: Buffer; signal: AbortSignal },
): Promise<typeof notTaken | undefined> {
  const upstream = client.makeServerStreamRequest(
    passage.path,
    asIs,
    asIs,
    passage.bytes,
    requestMetadata(call, passage),
    { deadline: call.getDeadline() },
  );
  const cancel = (): void => upstream.cancel();
  passage.signal.addEventListener('abort', cancel);
  if (passage.signal.aborted) cancel();
  return answers(call, upstream).finally(() => passage.signal.removeEventListener('abort', cancel));
}

/**
 * Both directions, as fast as the slower side takes them.
 * @returns as `passOnStream`; where the stream was not taken, all that was sent waits again
 */
export function passOnDuplex(
  client: Client,
  call: ServerDuplexStream<unknown, unknown>,
  passage: Passage & { requests: StreamRequests; isHalfClosed: () => boolean },
): Promise<typeof notTaken | undefined> {
  const upstream: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
    passage.path,
    asIs,
    asIs,
    requestMetadata(call, passage),
    { deadline: call.getDeadline() },
  );
  const { requests } = passage;
  requests.tryWith((bytes) => {
    if (upstream.writableEnded || upstream.destroyed) return;
    if (!upstream.write(bytes)) call.pause();
  });
  const end = (): void => void upstream.end();
  if (passage.isHalfClosed()) end();
  else call.on('end', end);
  upstream.on('drain', () => call.resume());
  upstream.once('data', () => requests.stay());
  call.resume();
  return answers(call, upstream, () => requests.wait()).finally(() => call.off('end', end));
}

/**
 * What comes from the other engine goes to the client, and so does the end.
 * @param mayMove whether a stream that was not taken can go to another engine
 */
function answers(
  call: ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>,
  upstream: ClientReadableStream<Buffer> | ClientDuplexStream<Buffer, Buffer>,
  mayMove: () => boolean = () => true,
): Promise<typeof notTaken | undefined> {
  return new Promise((resolve, reject) => {
    let hasAnswered = false;
    let isRead = false;
    let ended: StatusObject | undefined;
    const cancel = (): void => upstream.cancel();
    const more = (): void => void upstream.resume();
    const finish = (): void => {
      if (!isRead || ended === undefined) return;
      call.off('cancelled', cancel);
      call.off('drain', more);
      if (ended.code === status.OK) resolve(undefined);
      else if (!hasAnswered && isNotTaken(ended) && mayMove()) resolve(notTaken);
      else reject(new PeerError(ended));
    };
    upstream.on('metadata', (metadata: Metadata) => sendHead(call, metadata));
    upstream.on('data', (bytes: Buffer) => {
      hasAnswered = true;
      if (!call.write(new RawAnswer(bytes))) upstream.pause();
    });
    upstream.on('end', () => {
      isRead = true;
      finish();
    });
    upstream.on('error', () => undefined); // the status says more
    upstream.on('status', (given: StatusObject) => {
      ended = given;
      finish();
    });
    call.on('drain', more);
    call.on('cancelled', cancel);
    if (call.cancelled) cancel();
  });
}

/** Where there is something in it: an empty one is sent with the first message. */
function sendHead(call: { sendMetadata(metadata: Metadata): void }, metadata: Metadata): void {
  const head = passedOn(metadata);
  if (Object.keys(head.getMap()).length > 0) call.sendMetadata(head);
}
