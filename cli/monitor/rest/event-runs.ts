import { setTimeout as delay } from 'node:timers/promises';
import type { RunRow } from '../run-reader.ts';
import { listRunShapes } from './list-runs.ts';
import { isNotFound, type RestClient } from './rest-client.ts';
import { runRow } from './run-rows.ts';

const mostRuns = 1000;
const betweenMs = 250;
const longestMs = 5_000;
/** Looks in a row that must find the same. */
const quietLooks = 3;

/** The runs of a new event. A cluster answers the push before it has stored the event or started its runs: they are looked for until no more come. */
export async function settledRuns(client: RestClient, eventId: string): Promise<readonly RunRow[]> {
  const startedAt = performance.now();
  let rows: readonly RunRow[] = [];
  for (let quiet = 0; quiet < quietLooks && performance.now() - startedAt < longestMs;) {
    const isStored = rows.length > 0 || (await isKnown(client, eventId));
    const found = isStored ? (await listRunShapes(client, { eventId, limit: mostRuns })).rows.map(runRow) : [];
    quiet = isStored && found.length === rows.length ? quiet + 1 : 0;
    rows = found;
    if (quiet < quietLooks) await delay(betweenMs);
  }
  return rows;
}

async function isKnown(client: RestClient, eventId: string): Promise<boolean> {
  try {
    await client.get(`/api/v1/stable/tenants/:tenant/events/${eventId}`);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
