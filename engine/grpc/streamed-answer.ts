import type { ServerWritableStream } from '@grpc/grpc-js';
import type { Caller } from '../edge/access/caller.ts';
import { writeTo } from './handlers.ts';
import { sendMessage } from './send-message.ts';

/** The messages that answer one request, whatever carries them to the client. */
export interface StreamedAnswer<Res> {
  /** The request is good: the client may be told so before there is a message. The first message says it too. */
  begin(): void;
  /** Waits while the client reads slower than the engine writes. */
  write(message: Res): Promise<void>;
  /**
   * Waits until the message is sent, or the client is gone: its room can be given back then. A client that does not read it is hung
   * up on.
   * @param bytes of its payloads
   */
  send(message: Res, bytes: number): Promise<void>;
}

/** The signal aborts when the client goes, or its token ends; a handler that returns ends the stream in order. */
export type StreamHandler<Req, Res> = (
  request: Req,
  answer: StreamedAnswer<Res>,
  caller: Caller,
  signal: AbortSignal,
) => Promise<void>;

/** The handler, as gRPC calls it. */
export function streamedByGrpc<Req, Res>(
  handle: StreamHandler<Req, Res>,
): (call: ServerWritableStream<Req, Res>, caller: Caller, signal: AbortSignal) => Promise<void> {
  return (call, caller, signal) => {
    const answer: StreamedAnswer<Res> = {
      begin: () => undefined, // the head of a gRPC stream goes out with its first message or its end
      write: (message) => writeTo(call, message, signal),
      send: (message, bytes) => sendMessage(call, message, { bytes, signal }),
    };
    return handle(call.request, answer, caller, signal);
  };
}
