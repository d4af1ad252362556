import type { StoredEvent } from '../../../sdk/index.ts';
import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { withSdk } from '../../connection/with-sdk.ts';
import { ExitCode } from '../../exit-codes.ts';
import { offsetPage, offsetQuery, type OffsetFlags } from '../../input/offset-page.ts';
import { withReader } from '../../monitor/with-reader.ts';
import { jsonText, plainLines } from '../../output/plain-text.ts';
import { ageText } from '../../output/time-text.ts';
import { renderTable, type Table } from '../../output/table.ts';

export type EventFlags = ConnectionFlags & OutputFlag;

export interface ListEventsFlags extends EventFlags, OffsetFlags {
  key?: string[];
  scope?: string[];
  since?: Date;
  until?: Date;
  metadata?: Record<string, string>;
}

interface EventRow {
  eventId: string;
  key: string;
  scope: string | null;
  pushedAt: string;
  metadata: object;
  /** The webhook that it came through. */
  webhook: string | null;
  payload: object;
  runs: readonly { runId: string; filterId: string | null }[];
  runsByStatus: StoredEvent['workflowRunSummary'];
}

interface EventRun {
  runId: string;
  workflow: string;
  status: string;
  filterId: string | null;
}

/** Runs of one event that are named at most. */
const shownRuns = 1000;

const events: Table<EventRow> = {
  columns: [
    { title: 'EVENT', cell: (event) => event.eventId },
    { title: 'KEY', cell: (event) => event.key, max: 40 },
    { title: 'SCOPE', cell: (event) => event.scope ?? '', max: 30 },
    { title: 'AGE', cell: (event) => ageText(event.pushedAt), align: 'right' },
    { title: 'RUNS', cell: (event) => String(event.runs.length), align: 'right' },
    { title: 'FAILED', cell: (event) => String(event.runsByStatus.failed), align: 'right' },
  ],
  empty: 'No events. Push one with `hatchet trigger event <key>`.',
};

const runs: Table<EventRun> = {
  columns: [
    { title: 'RUN', cell: (run) => run.runId },
    { title: 'WORKFLOW', cell: (run) => run.workflow, max: 40 },
    { title: 'STATUS', cell: (run) => run.status },
    { title: 'FILTER', cell: (run) => run.filterId ?? '' },
  ],
  empty: 'It started no runs.',
};

/** A cluster writes an empty text for none. */
function orNull(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

function rowOf(event: StoredEvent): EventRow {
  const {
    metadata,
    key,
    scope,
    seenAt,
    additionalMetadata,
    payload,
    triggeredRuns,
    triggeringWebhookName,
    workflowRunSummary,
  } = event;
  return {
    eventId: metadata.id,
    key,
    scope: orNull(scope),
    pushedAt: seenAt ?? metadata.createdAt,
    metadata: additionalMetadata ?? {},
    webhook: orNull(triggeringWebhookName),
    payload: payload ?? {},
    runs: (triggeredRuns ?? []).map(({ workflowRunId, filterId }) => ({
      runId: workflowRunId,
      filterId: orNull(filterId),
    })),
    runsByStatus: workflowRunSummary,
  };
}

/** @throws HatchetError */
export async function listEvents(context: CliContext, flags: ListEventsFlags): Promise<ExitCode> {
  const { key, scope, since, until, metadata } = flags;
  const { rows = [] } = await withSdk(context, flags, (hatchet) =>
    hatchet.events.list({
      ...offsetQuery(flags),
      keys: key,
      scopes: scope,
      since,
      until,
      additionalMetadata: metadata,
    }),
  );
  outputOf(context, flags).list(offsetPage(rows.map(rowOf), flags), events);
  return ExitCode.done;
}

/** @throws HatchetError UNKNOWN_RUN */
export async function getEvent(context: CliContext, id: string, flags: EventFlags): Promise<ExitCode> {
  const event = rowOf(await withSdk(context, flags, (hatchet) => hatchet.events.get(id)));
  const filters = new Map(event.runs.map((run) => [run.runId, run.filterId]));
  const page = await withReader(context, flags, (reader) =>
    reader.listRuns({ eventId: event.eventId, limit: shownRuns }),
  );
  const started = page.rows
    .filter(({ runId }) => filters.has(runId))
    .map(({ runId, workflow, status }) => ({ runId, workflow, status, filterId: filters.get(runId) ?? null }));
  outputOf(context, flags).value({ ...event, runs: started }, () => render(event, started));
  return ExitCode.done;
}

function render(event: EventRow, started: readonly EventRun[]): string {
  const head = [event.key, event.scope === null ? '' : `scope ${event.scope}`, event.eventId]
    .filter((part) => part !== '')
    .join('  ');
  const from = event.webhook === null ? '' : `, through the webhook ${event.webhook}`;
  return plainLines(
    [
      head,
      `pushed ${event.pushedAt}${from}`,
      '',
      'payload',
      jsonText(event.payload, 2),
      'metadata',
      jsonText(event.metadata, 2),
      '',
      renderTable(started, runs),
    ].join('\n'),
  );
}
