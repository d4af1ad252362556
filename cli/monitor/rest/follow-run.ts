import { isTerminal } from '../../status-name.ts';
import type { EventBatch, EventRow } from '../run-reader.ts';
import { pollMs, polls } from './polls.ts';
import { isNotFound } from './rest-client.ts';
import type { RunReads } from './run-reads.ts';
import { statusOf } from './run-rows.ts';
import { timeOf } from './stored-values.ts';

/** A cluster shows a run some time after it was triggered. */
const appearsWithinMs = 15_000;

interface FollowedRun {
  runId: string;
  after: string | undefined;
  signal: AbortSignal;
}

/** The transitions of a run until its end, each once. Ends when the run has ended and nothing more comes. */
export async function* followRun(
  reads: RunReads,
  { runId, after, signal }: FollowedRun,
): AsyncGenerator<EventBatch, void, undefined> {
  const told = new Set<string>();
  const afterId = Number(after ?? 0);
  const startedAt = performance.now();
  let isThere = false;
  let cursor = after ?? '';
  for await (const count of polls(pollMs.run, signal)) {
    const details = await reads.details(runId).catch((error: unknown) => {
      if (isThere || !isNotFound(error) || performance.now() - startedAt > appearsWithinMs) throw error;
      return undefined;
    });
    if (details === undefined) continue;
    isThere = true;
    // Their numbers grow, though not by their times: a late one is told late.
    const fresh = (await reads.events(details)).filter(
      (event) => Number(event.cursor) > afterId && !told.has(event.cursor),
    );
    for (const event of fresh) told.add(event.cursor);
    cursor = newest(cursor, fresh);
    const hasEnded = isTerminal(statusOf(details.run));
    if (fresh.length > 0 || count === 0) yield { events: fresh, cursor, live: true };
    if (!hasEnded || fresh.length > 0) continue;
    const { workflow } = await reads.names(details);
    const status = statusOf(details.run);
    const end: EventRow = {
      cursor,
      time: timeOf(details.run.finishedAt),
      runId: details.run.metadata.id,
      workflow,
      taskId: '',
      task: '',
      attempt: 0,
      type: 'RUN_FINISHED',
      status,
      message: '',
      workerId: null,
    };
    yield { events: [end], cursor, live: true };
    return;
  }
}

function newest(cursor: string, events: readonly EventRow[]): string {
  return String(Math.max(Number(cursor === '' ? 0 : cursor), ...events.map((event) => Number(event.cursor))));
}
