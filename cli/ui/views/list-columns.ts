import { workerStatusText } from '../../status-name.ts';
import { usedAt, keyScope } from '../../monitor/queue-rows.ts';
import { barText } from '../../output/bar-text.ts';
import { plainText } from '../../output/plain-text.ts';
import { ageText, timeText, untilText } from '../../output/time-text.ts';
import { fit, pad } from '../../output/table.ts';
import type { Item, ItemKind, Rows } from '../model/lists/list-items.ts';

interface Column<Row> {
  title: string;
  /** Cells, with the space behind; with `grow`, at least so many. */
  width: number;
  cell: (row: Row, nowMs: number) => string;
  align?: 'right';
  /** Shares of the cells that the others leave, up to `most`. */
  grow?: number;
  most?: number;
  /** In a terminal that is too narrow for all, those with the highest go first. */
  rank: number;
}

type Tables = { readonly [Kind in ItemKind]: (columns: number) => readonly Column<Rows[Kind]>[] };

/** In front of each line: the cursor. */
const gutter = 2;
const bar = 10;
/** From here on an id is shown whole. */
const wideFrom = 110;

const tables: Tables = {
  workflow: () => [
    { title: 'WORKFLOW', rank: 0, width: 16, grow: 1, most: 44, cell: (row) => row.name },
    { title: 'STATE', rank: 1, width: 10, cell: (row) => (row.paused ? 'PAUSED' : 'ACTIVE') },
    { title: 'TASKS', rank: 2, width: 7, align: 'right', cell: (row) => String(row.taskCount ?? '') },
    { title: 'VERSION SINCE', rank: 3, width: 15, align: 'right', cell: (row, nowMs) => ageText(row.createdAt, nowMs) },
    { title: '  DESCRIPTION', rank: 4, width: 14, grow: 1, cell: (row) => `  ${row.description}` },
  ],
  worker: () => [
    { title: 'WORKER', rank: 0, width: 14, grow: 1, cell: (row) => row.name },
    { title: 'STATUS', rank: 1, width: 16, cell: (row) => workerStatusText(row.status) },
    {
      title: 'SLOTS',
      rank: 3,
      width: 38,
      cell: (row) =>
        row.slots
          .map(
            (slot) =>
              `${barText(slot.used, slot.total, row.slots.length > 1 ? bar : 2 * bar)} ${slot.used}/${slot.total}`,
          )
          .join(' '),
    },
    { title: 'UP', rank: 2, width: 10, align: 'right', cell: (row, nowMs) => ageText(row.registeredAt, nowMs) },
  ],
  queue: () => [
    {
      title: 'QUEUE',
      rank: 0,
      width: 20,
      grow: 1,
      cell: (row) => `${row.workers === 0 && row.queued > 0 ? '! ' : ''}${row.action}`,
    },
    { title: 'QUEUED', rank: 1, width: 8, align: 'right', cell: (row) => String(row.queued) },
    { title: 'RUNNING', rank: 2, width: 9, align: 'right', cell: (row) => String(row.running) },
    { title: 'KEYS', rank: 4, width: 6, align: 'right', cell: (row) => String(row.waitingForPlace) },
    { title: 'UNITS', rank: 5, width: 7, align: 'right', cell: (row) => String(row.waitingForUnits) },
    { title: 'BATCH', rank: 8, width: 7, align: 'right', cell: (row) => String(row.waitingForBatch) },
    { title: 'RETRY', rank: 6, width: 6, align: 'right', cell: (row) => String(row.delayed) },
    { title: 'WORKERS', rank: 3, width: 8, align: 'right', cell: (row) => String(row.workers) },
    { title: 'OLDEST', rank: 7, width: 10, align: 'right', cell: (row, nowMs) => ageText(row.oldestQueuedAt, nowMs) },
  ],
  key: () => [
    { title: 'CONCURRENCY KEY', rank: 0, width: 16, grow: 1, cell: (row) => row.key },
    { title: 'OF', rank: 3, width: 12, grow: 1, cell: (row) => keyScope(row) },
    {
      title: 'PLACES',
      rank: 2,
      width: bar + 11,
      cell: (row) => `${barText(row.held, row.maxRuns, bar)} ${row.held}/${row.maxRuns}`,
    },
    { title: 'WAITING', rank: 1, width: 9, align: 'right', cell: (row) => String(row.waiting) },
  ],
  limit: () => [
    { title: 'RATE LIMIT', rank: 0, width: 16, grow: 1, cell: (row) => row.key },
    {
      title: 'UNITS USED',
      rank: 3,
      width: bar + 22,
      cell: (row, nowMs) =>
        `${barText(usedAt(row, nowMs), row.limit, bar)} ${usedAt(row, nowMs)}/${row.limit} ${row.window.toLowerCase()}`,
    },
    {
      title: 'REFILL',
      rank: 2,
      width: 13,
      align: 'right',
      cell: (row, nowMs) => (usedAt(row, nowMs) === 0 ? '' : untilText(row.refillAt, nowMs)),
    },
    { title: 'WAITING', rank: 1, width: 9, align: 'right', cell: (row) => String(row.waiting + row.tooLarge) },
  ],
  cron: () => [
    { title: 'CRON', rank: 0, width: 15, grow: 1, cell: (row) => `${row.lastError === null ? '' : '! '}${row.name}` },
    { title: 'WORKFLOW', rank: 3, width: 14, grow: 1, cell: (row) => row.workflow },
    { title: 'ON', rank: 1, width: 4, cell: (row) => (row.enabled ? 'yes' : 'no') },
    { title: 'EXPRESSION', rank: 5, width: 16, cell: (row) => row.expression },
    { title: 'ZONE', rank: 6, width: 20, cell: (row) => row.timezone },
    { title: 'NEXT', rank: 2, width: 13, align: 'right', cell: (row, nowMs) => untilText(row.nextAt ?? null, nowMs) },
    {
      title: 'LAST',
      rank: 4,
      width: 14,
      align: 'right',
      cell: (row, nowMs) => (row.lastAt === null ? '' : `${ageText(row.lastAt, nowMs)} ago`),
    },
  ],
  schedule: (columns) => {
    const id = columns >= wideFrom ? 38 : 15;
    return [
      {
        title: 'SCHEDULED',
        rank: 2,
        width: id,
        cell: (row) => (id > 36 ? row.scheduleId : `${row.scheduleId.slice(0, 8)}…${row.scheduleId.slice(-4)}`),
      },
      { title: 'WORKFLOW', rank: 0, width: 12, grow: 1, cell: (row) => row.workflow },
      { title: 'AT', rank: 3, width: 23, cell: (row) => timeText(row.dueAt) },
      { title: 'IN', rank: 1, width: 13, align: 'right', cell: (row, nowMs) => untilText(row.dueAt, nowMs) },
    ];
  },
};

/** The columns for which there is room, each with its width. */
function columnsOf<Kind extends ItemKind>(kind: Kind, columns: number): readonly Column<Rows[Kind]>[] {
  let shown = tables[kind](columns);
  const missing = (): number => shown.reduce((sum, { width }) => sum + width, 0) - (columns - gutter);
  while (missing() > 0 && shown.length > 1) {
    const last = Math.max(...shown.map(({ rank }) => rank));
    shown = shown.filter(({ rank }) => rank !== last);
  }
  let left = -missing();
  let shares = shown.reduce((sum, { grow = 0 }) => sum + grow, 0);
  return shown.map((column) => {
    const { grow = 0, most = Number.POSITIVE_INFINITY, width } = column;
    if (grow === 0) return column;
    const more = Math.min(Math.ceil((left * grow) / shares), Math.max(0, most - width));
    left -= more;
    shares -= grow;
    return { ...column, width: width + more };
  });
}

export function headingLine(kind: ItemKind, columns: number): string {
  return columnsOf(kind, columns)
    .map(({ title, width, align }) => inColumn(title, width, align))
    .join('');
}

export function itemLine<Kind extends ItemKind>(
  { kind, row }: Item<Kind>,
  options: { columns: number; nowMs: number },
): string {
  return columnsOf(kind, options.columns)
    .map(({ cell, width, align }) => inColumn(plainText(cell(row, options.nowMs)), width, align))
    .join('');
}

/** Every column leaves a cell free: behind its text, or before one that is aligned to the right. */
function inColumn(text: string, width: number, align: 'right' | undefined): string {
  return width < 2 ? '' : pad(fit(text, width - 1), width, align ?? 'left');
}
