import type { ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { streamDeadlineMs, writeDeadlineMs } from '../monitor/budget/answers-in-flight.ts';
import type { Reservation } from '../monitor/budget/byte-budget.ts';
import { hangUp } from './hang-up.ts';

/** Gives an answer's room back once it is sent, or its client is gone. A client that does not read it is hung up on. */
export function releaseOnceSent<Req, Res>(call: ServerUnaryCall<Req, Res>, reservation: Reservation): void {
  if (call.cancelled) return reservation.release();
  const timer = setTimeout(() => hangUp(call), writeDeadlineMs(reservation.bytes)).unref();
  // grpc-js tells it at the end of every call, also of one that was answered.
  call.once('cancelled', () => {
    clearTimeout(timer);
    reservation.release();
  });
}

/** Writes a message of a stream, and waits until it is sent, or the client is gone: its room can be given back then. */
export async function sendMessage<Req, Res>(
  call: ServerWritableStream<Req, Res>,
  message: Res,
  { bytes, signal }: { bytes: number; signal: AbortSignal },
): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => hangUp(call), streamDeadlineMs(bytes)).unref();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    call.write(message, done);
  });
}
