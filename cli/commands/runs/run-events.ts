import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-codes.ts';
import type { EventRow } from '../../monitor/run-reader.ts';
import { withReader } from '../../monitor/with-reader.ts';
import type { Table } from '../../output/table.ts';

export interface RunEventsFlags extends ConnectionFlags, OutputFlag {
  limit: number;
  page?: string;
}

interface TimelineRow extends EventRow {
  workerName: string | null;
}

const table: Table<TimelineRow> = {
  columns: [
    { title: 'TIME', cell: (event) => event.time ?? '' },
    { title: 'EVENT', cell: (event) => event.type },
    { title: 'TASK', cell: (event) => event.task, max: 40 },
    { title: 'ATTEMPT', cell: (event) => (event.task === '' ? '' : String(event.attempt + 1)), align: 'right' },
    { title: 'WORKER', cell: (event) => event.workerName ?? event.workerId ?? '', max: 40 },
    { title: 'MESSAGE', cell: (event) => event.message, max: 200 },
  ],
  empty: 'No events.',
};

/** @throws ServerError for an unknown id */
export function runEvents(context: CliContext, id: string, flags: RunEventsFlags): Promise<ExitCode> {
  const { limit, page } = flags;
  return withReader(context, flags, async (reader) => {
    const { rows, next } = await reader.listEvents(id, { limit, ...(page === undefined ? {} : { after: page }) });
    const workers = rows.some((event) => event.workerId !== null) ? await reader.listWorkers({ all: true }) : [];
    const names = new Map(workers.map((worker) => [worker.workerId, worker.name]));
    outputOf(context, flags).list(
      {
        rows: rows.map((event) => ({
          ...event,
          workerName: event.workerId === null ? null : (names.get(event.workerId) ?? null),
        })),
        next,
      },
      table,
    );
    return ExitCode.done;
  });
}
