import type { Context } from 'hono';
import type { HatchetError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Caller } from '../../edge/access/caller.ts';
import type { Gate } from '../../edge/access/gate.ts';
import type { StreamedAnswer } from '../../grpc/streamed-answer.ts';
import { streamDeadlineMs } from '../../monitor/budget/answers-in-flight.ts';
import type { RestEnv } from '../deps.ts';
import { toldError } from '../error-answer.ts';
import { EventStream } from './event-stream.ts';

const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // nginx would gather the events.
  'x-accel-buffering': 'no',
};

/**
 * What a handler streams, as server-sent events: each message as `data`, at the end `event: end`, and `event: error` for what goes
 * wrong once the stream has begun. What is refused before is answered as by any other route. The stream is an open call of its
 * caller's, and ends with the caller's token.
 * @param jsonOf a message
 * @throws HatchetError LIMIT_REACHED, and whatever the handler throws before it begins
 */
export async function streamAnswer(
  context: Context<RestEnv>,
  { gate, log }: { gate: Gate; log: Logger },
  jsonOf: (message: Buffer) => string,
  handle: (answer: StreamedAnswer<Buffer>, caller: Caller, signal: AbortSignal) => Promise<void>,
): Promise<Response> {
  const { outgoing } = context.env;
  const caller = context.get('caller');
  const [gone, over] = [new AbortController(), new AbortController()];
  let refusal: HatchetError | undefined;
  const release = gate.hold(caller, (error) => {
    refusal = error;
    over.abort();
  });
  const events = new EventStream();
  const leave = (): void => {
    events.abandon();
    gone.abort();
  };
  outgoing.once('close', leave);
  if (outgoing.closed || outgoing.destroyed) leave();
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const answer: StreamedAnswer<Buffer> = {
    begin: () => begin(),
    write: (message) => {
      begin();
      return events.message(jsonOf(message));
    },
    send: async (message, bytes) => {
      begin();
      const hangUp = setTimeout(() => outgoing.destroy(), streamDeadlineMs(bytes)).unref();
      await events.message(jsonOf(message));
      clearTimeout(hangUp);
    },
  };
  const running = (async () => {
    try {
      await handle(answer, caller, AbortSignal.any([gone.signal, over.signal]));
    } catch (error) {
      throw refusal ?? error;
    } finally {
      release();
      outgoing.off('close', leave);
    }
    if (refusal !== undefined) throw refusal;
  })();
  try {
    await Promise.race([begun, running]);
  } catch (error) {
    events.abandon();
    throw error;
  }
  running.then(
    () => events.end('end', '{}'),
    (error: unknown) => {
      if (gone.signal.aborted) return;
      const { code, description } = toldError(error, context.req.path, log);
      events.end('error', JSON.stringify({ code, description }));
    },
  );
  return context.body(events.body, 200, headers);
}
