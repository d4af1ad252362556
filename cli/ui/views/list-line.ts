import { workerStatusText } from '../../monitor/status-name.ts';
import { usedAt, keyScope } from '../../monitor/queue-rows.ts';
import { barText } from '../../output/bar-text.ts';
import { plainText } from '../../output/plain-text.ts';
import { ageText, timeText, untilText } from '../../output/span-text.ts';
import { fit, pad } from '../../output/table.ts';
import type { Item, ItemKind, Rows } from '../model/list-items.ts';

interface Column<Row> {
  title: string;
  /** Cells, with the space behind. A fixed one, or what is left. */
  width: number;
  cell: (row: Row, nowMs: number) => string;
  align?: 'right';
}

type Tables = { readonly [Kind in ItemKind]: (columns: number) => readonly Column<Rows[Kind]>[] };

/** In front of each line: the cursor. */
const gutter = 2;
const bar = 10;
/** From here on there is room for what a narrow terminal leaves out. */
const wideFrom = 110;

const tables: Tables = {
  workflow: (columns) => {
    const name = Math.max(16, Math.min(44, columns - gutter - 46));
    return [
      { title: 'WORKFLOW', width: name, cell: (row) => row.name },
      { title: 'STATE', width: 10, cell: (row) => (row.paused ? 'PAUSED' : 'ACTIVE') },
      { title: 'TASKS', width: 7, align: 'right', cell: (row) => String(row.taskCount) },
      { title: 'VERSION SINCE', width: 15, align: 'right', cell: (row, nowMs) => ageText(row.createdAt, nowMs) },
      { title: '  DESCRIPTION', width: columns - gutter - name - 32, cell: (row) => `  ${row.description}` },
    ];
  },
  worker: (columns) => [
    { title: 'WORKER', width: Math.max(14, columns - gutter - 64), cell: (row) => row.name },
    { title: 'STATUS', width: 16, cell: (row) => workerStatusText(row.status) },
    { title: 'SLOTS', width: 38, cell: (row) => row.slots.map((slot) => `${barText(slot.used, slot.total, row.slots.length > 1 ? bar : 2 * bar)} ${slot.used}/${slot.total}`).join(' ') },
    { title: 'UP', width: 10, align: 'right', cell: (row, nowMs) => ageText(row.registeredAt, nowMs) },
  ],
  queue: (columns) => [
    { title: 'QUEUE', width: columns - gutter - 54 - (columns >= wideFrom ? 7 : 0), cell: (row) => `${row.workers === 0 && row.queued > 0 ? '! ' : ''}${row.action}` },
    { title: 'QUEUED', width: 8, align: 'right', cell: (row) => String(row.queued) },
    { title: 'RUNNING', width: 9, align: 'right', cell: (row) => String(row.running) },
    { title: 'KEYS', width: 6, align: 'right', cell: (row) => String(row.waitingForPlace) },
    { title: 'UNITS', width: 7, align: 'right', cell: (row) => String(row.waitingForUnits) },
    ...(columns >= wideFrom ? [{ title: 'BATCH', width: 7, align: 'right' as const, cell: (row: Rows['queue']) => String(row.waitingForBatch) }] : []),
    { title: 'RETRY', width: 6, align: 'right', cell: (row) => String(row.delayed) },
    { title: 'WORKERS', width: 8, align: 'right', cell: (row) => String(row.workers) },
    { title: 'OLDEST', width: 10, align: 'right', cell: (row, nowMs) => ageText(row.oldestQueuedAt, nowMs) },
  ],
  key: (columns) => {
    const rest = columns - gutter - bar - 20;
    return [
      { title: 'CONCURRENCY KEY', width: Math.ceil(rest / 2), cell: (row) => row.key },
      { title: 'OF', width: Math.floor(rest / 2), cell: (row) => keyScope(row) },
      { title: 'PLACES', width: bar + 11, cell: (row) => `${barText(row.held, row.maxRuns, bar)} ${row.held}/${row.maxRuns}` },
      { title: 'WAITING', width: 9, align: 'right', cell: (row) => String(row.waiting) },
    ];
  },
  limit: (columns) => [
    { title: 'RATE LIMIT', width: columns - gutter - bar - 45, cell: (row) => row.key },
    { title: 'UNITS USED', width: bar + 22, cell: (row, nowMs) => `${barText(usedAt(row, nowMs), row.limit, bar)} ${usedAt(row, nowMs)}/${row.limit} ${row.window.toLowerCase()}` },
    { title: 'REFILL', width: 13, align: 'right', cell: (row, nowMs) => (usedAt(row, nowMs) === 0 ? '' : untilText(row.refillAt, nowMs)) },
    { title: 'WAITING', width: 9, align: 'right', cell: (row) => String(row.waiting + row.tooLarge) },
  ],
  cron: (columns) => {
    const zone = columns >= wideFrom ? 20 : 0;
    const rest = columns - gutter - 47 - zone;
    return [
      { title: 'CRON', width: Math.ceil(rest / 2), cell: (row) => `${row.lastError === null ? '' : '! '}${row.name}` },
      { title: 'WORKFLOW', width: Math.floor(rest / 2), cell: (row) => row.workflow },
      { title: 'ON', width: 4, cell: (row) => (row.enabled ? 'yes' : 'no') },
      { title: 'EXPRESSION', width: 16, cell: (row) => row.expression },
      ...(zone === 0 ? [] : [{ title: 'ZONE', width: zone, cell: (row: Rows['cron']) => row.timezone }]),
      { title: 'NEXT', width: 13, align: 'right', cell: (row, nowMs) => untilText(row.nextAt, nowMs) },
      { title: 'LAST', width: 14, align: 'right', cell: (row, nowMs) => (row.lastAt === null ? '' : `${ageText(row.lastAt, nowMs)} ago`) },
    ];
  },
  schedule: (columns) => {
    const id = columns >= wideFrom ? 38 : 15;
    return [
      { title: 'SCHEDULED', width: id, cell: (row) => (id > 36 ? row.scheduleId : `${row.scheduleId.slice(0, 8)}…${row.scheduleId.slice(-4)}`) },
      { title: 'WORKFLOW', width: columns - gutter - id - 36, cell: (row) => row.workflow },
      { title: 'AT', width: 23, cell: (row) => timeText(row.dueAt) },
      { title: 'IN', width: 13, align: 'right', cell: (row, nowMs) => untilText(row.dueAt, nowMs) },
    ];
  },
};

export function headingLine(kind: ItemKind, columns: number): string {
  return tables[kind](columns)
    .map(({ title, width, align }) => inColumn(title, width, align))
    .join('');
}

export function itemLine<Kind extends ItemKind>({ kind, row }: Item<Kind>, options: { columns: number; nowMs: number }): string {
  return tables[kind](options.columns)
    .map(({ cell, width, align }) => inColumn(plainText(cell(row, options.nowMs)), width, align))
    .join('');
}

/** Every column leaves a cell free: behind its text, or before one that is aligned to the right. */
function inColumn(text: string, width: number, align: 'right' | undefined): string {
  return width < 2 ? '' : pad(fit(text, width - 1), width, align ?? 'left');
}
