import type { PutStreamEventRequest } from '../../proto/gen/hatchet/contract/events.ts';
import type { Connection } from '../connection/connection.ts';
import { NotOfferedError } from '../connection/engine-link.ts';
import { callUnary, repeatForMs } from '../connection/repeat-calls.ts';
import { longestPayload } from '../run/trigger-request.ts';

/**
 * Sends a chunk of a stream, which is known again by its number: with others by the link, or by a call of its own where the engine
 * has no sessions. One that is too long is refused at a call: a frame that nobody takes would end the link's stream.
 * @throws ServiceError, AnswerLostError, HatchetError
 */
export async function sendChunk(connection: Connection, chunk: PutStreamEventRequest): Promise<void> {
  const { events, link } = connection;
  if (link.isOffered !== false && chunk.message.byteLength <= longestPayload)
    try {
      return await link.streamed(chunk, repeatForMs);
    } catch (error) {
      if (!(error instanceof NotOfferedError)) throw error;
    }
  await callUnary(connection, events.putStreamEvent.bind(events), chunk, { repeatForMs, repeatWith: 'streamNumbers' });
}
