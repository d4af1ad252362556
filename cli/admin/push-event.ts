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

/** Runs that are named at most. */
const shown = 1000;

/** Pushes an event and looks which runs it started. @throws HatchetError, ServerError */
export async function pushedEvent(hatchet: Hatchet, reader: Pick<RunReader, 'listRuns'>, { key, payload, scope, priority, metadata }: EventToPush): Promise<PushedEvent> {
  const event = await hatchet.events.push(key, payload, { scope, priority, additionalMetadata: metadata });
  const { rows } = await reader.listRuns({ metadata: { hatchet__event_id: event.eventId }, limit: shown });
  return { eventId: event.eventId, key: event.key, runs: rows.map(({ runId, workflow }) => ({ runId, workflow })) };
}
