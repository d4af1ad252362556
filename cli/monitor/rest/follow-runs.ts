import { status } from '@grpc/grpc-js';
import { ServerError } from '../../output/server-error.ts';
import type { EventBatch, EventRow, RunFilter } from '../run-reader.ts';
import { isTerminal, type RunStatusName } from '../../status-name.ts';
import { listRunShapes } from './list-runs.ts';
import { pollMs, polls } from './polls.ts';
import { isNotFound, type RestClient } from './rest-client.ts';
import type { RunDetailsShape, RunShape } from './rest-shapes.ts';
import { changesOf, seenRun, seenRunAt, type SeenRun } from './run-changes.ts';
import { timeOf } from './stored-values.ts';

/** Runs that are looked at in one poll, of the new and of the open ones. */
const mostRuns = 1000;
/** A cluster lists a run some time after its creation. */
const lateMs = 5_000;
/** How far before a cursor runs may have begun that have ended since. */
const lookBackMs = 3_600_000;
/** Runs that have left the list of the open ones, looked up in one poll; the others wait for the next. */
const mostLookUps = 50;
const open: readonly RunStatusName[] = ['QUEUED', 'RUNNING', 'EVICTED'];

interface FollowedRuns {
  after: string | undefined;
  workflows: readonly string[] | undefined;
  signal: AbortSignal;
}

/**
 * What becomes of all runs, found by comparing lists: the newest runs and the open ones, two calls a poll however many there
 * are. Steps between two polls are told as their end.
 */
export async function* followRuns(
  client: RestClient,
  { after, workflows, signal }: FollowedRuns,
): AsyncGenerator<EventBatch, void, undefined> {
  const since = after === undefined ? undefined : parseCursor(after);
  const seen = new Map<string, SeenRun>();
  const filter: RunFilter = {
    limit: mostRuns,
    ...(workflows === undefined || workflows.length === 0 ? {} : { workflows }),
  };
  const list = (more: RunFilter): ReturnType<typeof listRunShapes> => listRunShapes(client, { ...filter, ...more });
  let newest = since ?? '';
  for await (const count of polls(pollMs.runs, signal)) {
    const from = newest === '' ? undefined : new Date(Date.parse(newest) - (count === 0 ? lookBackMs : lateMs));
    const [recent, running] = await Promise.all([
      list(from === undefined ? {} : { since: from }),
      list({ statuses: open }),
    ]);
    const runs = new Map([...running.rows, ...recent.rows].map((run) => [run.workflowRunExternalId, run]));
    // Of more open ones than a list holds, older ones are missing in it.
    const listedFrom = running.next === null ? '' : (timeOf(running.rows.at(-1)?.metadata.createdAt) ?? '');
    for (const run of await gone(client, { seen, runs, listedFrom })) runs.set(run.workflowRunExternalId, run);
    const nowIso = new Date().toISOString();
    const events: EventRow[] = [];
    for (const [runId, run] of runs) {
      const createdAt = timeOf(run.metadata.createdAt) ?? '';
      if (count === 0) {
        const before = since === undefined ? seenRun(run) : seenRunAt(run, since);
        if (before !== undefined) seen.set(runId, before);
      }
      events.push(...changesOf(run, seen.get(runId), nowIso));
      seen.set(runId, seenRun(run));
      if (createdAt > newest) newest = createdAt;
    }
    forget(seen, runs);
    events.sort((a, b) => Date.parse(a.time ?? nowIso) - Date.parse(b.time ?? nowIso));
    const cursor =
      newest === ''
        ? nowIso
        : events.reduce((last, event) => (event.time !== null && event.time > last ? event.time : last), newest);
    if (events.length > 0 || count === 0)
      yield { events: events.map((event) => ({ ...event, cursor: event.time ?? cursor })), cursor, live: true };
  }
}

/** Runs that were open and are in neither list now, as they are by themselves. */
async function gone(
  client: RestClient,
  {
    seen,
    runs,
    listedFrom,
  }: { seen: ReadonlyMap<string, SeenRun>; runs: ReadonlyMap<string, RunShape>; listedFrom: string },
): Promise<RunShape[]> {
  const missing = [...seen]
    .filter(([runId, { status: was, createdAt }]) => !runs.has(runId) && !isTerminal(was) && createdAt >= listedFrom)
    .slice(0, mostLookUps);
  const found = await Promise.all(missing.map(async ([runId]) => await lookUp(client, runId)));
  return found.filter((run) => run !== undefined);
}

async function lookUp(client: RestClient, runId: string): Promise<RunShape | undefined> {
  try {
    const { run, tasks } = await client.get<RunDetailsShape>(`/api/v1/stable/workflow-runs/${runId}`);
    const [only] = tasks;
    const row = { ...run, taskExternalId: runId, workflowRunExternalId: runId };
    return tasks.length === 1 && only !== undefined
      ? { ...row, retryCount: only.retryCount ?? 0, isEvicted: only.isEvicted ?? false }
      : { ...row, children: tasks };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** What has ended and is in no list any more can only come back by a replay, which is told as one of a new run. */
function forget(seen: Map<string, SeenRun>, runs: ReadonlyMap<string, RunShape>): void {
  for (const [runId, { status: was }] of seen) if (isTerminal(was) && !runs.has(runId)) seen.delete(runId);
}

/** Of all runs, a place is a time. @throws ServerError */
function parseCursor(text: string): string {
  const time = /^\d{4}-\d{2}-\d{2}T/.test(text) ? timeOf(text) : null;
  if (time === null)
    throw new ServerError(`${JSON.stringify(text)} is no cursor of this engine`, {
      status: status.INVALID_ARGUMENT,
      remedy: 'Give one that `hatchet runs tail -o ndjson` has printed on the same engine.',
      cause: undefined,
    });
  return time;
}
