import type { RunReader } from '../monitor/run-reader.ts';
import type { Hatchet } from '../../sdk/index.ts';

export interface EventToPush {
  key: string;
  payload: object;
  scope?: string | undefined;
  priority?: 1 | 2 | 3 | undefined;
  metadata?: Record<string, string> | undefined;
}

export interface PushedEvent {
  eventId: string;
  key: string;
  /** That it started. */
  runs: readonly { runId: string; workflow: string }[];
}

/** Pushes an event and looks which runs it started. @throws HatchetError, ServerError */
export async function pushedEvent(
  hatchet: Hatchet,
  reader: Pick<RunReader, 'runsOfEvent'>,
  { key, payload, scope, priority, metadata }: EventToPush,
): Promise<PushedEvent> {
  const event = await hatchet.events.push(key, payload, { scope, priority, additionalMetadata: metadata });
  const runs = await reader.runsOfEvent(event.eventId);
  return { eventId: event.eventId, key: event.key, runs: runs.map(({ runId, workflow }) => ({ runId, workflow })) };
}
