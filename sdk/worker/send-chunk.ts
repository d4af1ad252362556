import type { PutStreamEventRequest } from '../../proto/gen/hatchet/contract/events.ts';
import type { Connection } from '../connection/connection.ts';
import { linkOrCall } from '../connection/link-or-call.ts';
import { callUnary, repeatForMs } from '../connection/repeat-calls.ts';
import { longestPayload } from '../run/trigger-request.ts';

/**
 * Sends a chunk of a stream, which is known again by its number: with others by the link, or by a call of its own where the engine
 * has no sessions. One that is too long is refused at a call: a frame that nobody takes would end the link's stream.
 * @throws ServiceError, AnswerLostError, HatchetError
 */
export async function sendChunk(connection: Connection, chunk: PutStreamEventRequest): Promise<void> {
  const { events } = connection;
  const byCall = async (): Promise<void> => {
    const settings = { repeatForMs, repeatWith: 'streamNumbers' } as const;
    await callUnary(connection, events.putStreamEvent.bind(events), chunk, settings);
  };
  if (chunk.message.byteLength > longestPayload) return await byCall();
  await linkOrCall(connection, (link) => link.streamed(chunk, repeatForMs), byCall);
}
