import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-codes.ts';
import {
  keyScope,
  usedAt,
  type KeyRow,
  type LimitRow,
  type QueueFigures,
  type QueueRow,
} from '../../monitor/queue-rows.ts';
import { withReader } from '../../monitor/with-reader.ts';
import { ageText, untilText } from '../../output/time-text.ts';
import { renderTable, type Table } from '../../output/table.ts';

export type QueuesFlags = ConnectionFlags & OutputFlag;

const queues: Table<QueueRow> = {
  columns: [
    { title: 'QUEUE', cell: (row) => row.action },
    { title: 'QUEUED', cell: (row) => String(row.queued), align: 'right' },
    { title: 'RUNNING', cell: (row) => String(row.running), align: 'right' },
    { title: 'FOR A KEY', cell: (row) => String(row.waitingForPlace), align: 'right' },
    { title: 'FOR UNITS', cell: (row) => String(row.waitingForUnits), align: 'right' },
    { title: 'FOR A BATCH', cell: (row) => String(row.waitingForBatch), align: 'right' },
    { title: 'FOR RETRY', cell: (row) => String(row.delayed), align: 'right' },
    { title: 'WORKERS', cell: (row) => String(row.workers), align: 'right' },
    { title: 'OLDEST', cell: (row) => ageText(row.oldestQueuedAt), align: 'right' },
  ],
  empty: 'No queues. A worker registers them: start one with `hatchet dev`.',
};

const keys: Table<KeyRow> = {
  columns: [
    { title: 'CONCURRENCY KEY', cell: (row) => row.key },
    { title: 'OF', cell: keyScope },
    { title: 'STRATEGY', cell: (row) => row.strategy },
    { title: 'PLACES', cell: (row) => `${row.held}/${row.maxRuns}`, align: 'right' },
    { title: 'WAITING', cell: (row) => String(row.waiting), align: 'right' },
  ],
  empty: 'No concurrency key is in use.',
};

const limits: Table<LimitRow> = {
  columns: [
    { title: 'RATE LIMIT', cell: (row) => row.key },
    { title: 'USED', cell: (row) => `${usedAt(row, Date.now())}/${row.limit}`, align: 'right' },
    { title: 'A', cell: (row) => row.window.toLowerCase() },
    { title: 'REFILL', cell: (row) => (usedAt(row, Date.now()) === 0 ? '' : untilText(row.refillAt)), align: 'right' },
    { title: 'WAITING', cell: (row) => String(row.waiting + row.tooLarge), align: 'right' },
  ],
  empty: 'No rate limit.',
};

/** @throws CliError, ServerError */
export function listQueues(context: CliContext, flags: QueuesFlags): Promise<ExitCode> {
  return withReader(context, flags, async (reader) => {
    const figures = await reader.listQueues();
    outputOf(context, flags).value(figures, () => text(figures));
    return ExitCode.done;
  });
}

function text({ queues: queueRows, keys: keyRows, limits: limitRows, total }: QueueFigures): string {
  const more = (shown: number, all: number): string => (all > shown ? `\nand ${all - shown} more` : '');
  return [
    renderTable(queueRows, queues) + more(queueRows.length, total.queues),
    renderTable(keyRows, keys) + more(keyRows.length, total.keys),
    renderTable(limitRows, limits) + more(limitRows.length, total.limits),
  ].join('\n\n');
}
