import type { ServerResponse } from 'node:http';
import type { Context } from 'hono';
import { writeDeadlineMs, type Held } from '../monitor/budget/answers-in-flight.ts';
import type { Reservation } from '../monitor/budget/byte-budget.ts';
import type { RestEnv } from './deps.ts';
import { jsonPieces } from './json-pieces.ts';

/** Characters of a stored text that are turned into bytes at once. */
const chunkChars = 64 * 1024;
const json = { 'content-type': 'application/json' };

/**
 * A message with stored JSON in it, as an answer. It is written piece by piece, as fast as the client reads: what is held is
 * the stored texts, not the answer. Its room is given back once it is written out, or the connection is gone.
 */
export function answer(context: Context<RestEnv>, { value, reservation }: Held<unknown>): Response {
  releaseOnceWritten(context.env.outgoing, reservation);
  return plainAnswer(context, value);
}

/** The same for a message that holds no more than its caller has just sent. */
export function plainAnswer(context: Context<RestEnv>, message: unknown): Response {
  const parts = chunkTexts(message);
  const [first, second] = [parts.next(), parts.next()];
  if (second.done === true) return context.body(first.value ?? '', 200, json);
  const begun = [first.value ?? '', second.value];
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        const text = begun.shift() ?? parts.next().value;
        if (typeof text === 'string') controller.enqueue(encoder.encode(text));
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return context.body(stream, 200, json);
}

function* chunkTexts(message: unknown): Generator<string, undefined> {
  let gathered = '';
  for (const piece of jsonPieces(message)) {
    if (gathered.length + piece.length <= chunkChars) {
      gathered += piece;
      continue;
    }
    if (gathered !== '') yield gathered;
    gathered = '';
    for (let at = 0; at < piece.length;) {
      const end = pairEnd(piece, at + chunkChars);
      yield piece.slice(at, end);
      at = end;
    }
  }
  if (gathered !== '') yield gathered;
  return undefined;
}

/** Not between the halves of a surrogate pair: each alone has no bytes. */
function pairEnd(text: string, end: number): number {
  const code = text.charCodeAt(end - 1);
  return end < text.length && code >= 0xd800 && code < 0xdc00 ? end - 1 : end;
}

function releaseOnceWritten(outgoing: ServerResponse, reservation: Reservation): void {
  if (outgoing.closed || outgoing.destroyed) return reservation.release();
  const hangUp = setTimeout(() => outgoing.destroy(), writeDeadlineMs(reservation.bytes)).unref();
  outgoing.once('close', () => {
    clearTimeout(hangUp);
    reservation.release();
  });
}
