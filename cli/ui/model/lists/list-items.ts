import { keyScope, type KeyRow, type LimitRow, type QueueRow } from '../../../monitor/queue-rows.ts';
import type { WorkerRow, WorkflowRow } from '../../../monitor/run-reader.ts';
import type { CronRow, ScheduleRow } from '../../../monitor/schedule-rows.ts';
import type { UiState } from '../ui-state.ts';

/** What lists show, by kind. */
export interface Rows {
  workflow: WorkflowRow;
  worker: WorkerRow;
  queue: QueueRow;
  key: KeyRow;
  limit: LimitRow;
  cron: CronRow;
  schedule: ScheduleRow;
}

export type ItemKind = keyof Rows;

/** A row of a list that can be selected. */
export type Item<Kind extends ItemKind> = { readonly [K in Kind]: { kind: K; id: string; row: Rows[K] } }[Kind];
export type ListItem = Item<ItemKind>;

/** The rows of the view that is shown, as far as its search lets them through. */
export function listItems(state: UiState): readonly ListItem[] {
  const wanted = state.searches[state.view].text.toLowerCase();
  const items = itemsOf(state);
  return wanted === ''
    ? items
    : items.filter((item) => searched(item).some((text) => text.toLowerCase().includes(wanted)));
}

function itemsOf({ view, workflows, workers, queues, schedules }: UiState): readonly ListItem[] {
  switch (view) {
    case 'workflows':
      return workflows.map((row) => ({ kind: 'workflow', id: row.workflowId, row }));
    case 'workers':
      return workers.map((row) => ({ kind: 'worker', id: row.workerId, row }));
    case 'queues':
      return [
        ...(queues?.queues ?? []).map((row): ListItem => ({ kind: 'queue', id: `queue ${row.action}`, row })),
        ...(queues?.keys ?? []).map((row): ListItem => ({
          kind: 'key',
          id: `key ${JSON.stringify([row.workflow, row.task, row.sharedName, row.key])}`,
          row,
        })),
        ...(queues?.limits ?? []).map((row): ListItem => ({ kind: 'limit', id: `limit ${row.key}`, row })),
      ];
    case 'schedules':
      return [
        ...(schedules?.crons ?? []).map((row): ListItem => ({ kind: 'cron', id: row.cronId, row })),
        ...(schedules?.schedules ?? []).map((row): ListItem => ({ kind: 'schedule', id: row.scheduleId, row })),
      ];
    case 'runs':
    case 'logs':
      return [];
  }
}

function searched(item: ListItem): readonly string[] {
  switch (item.kind) {
    case 'workflow':
      return [item.row.name, item.row.description];
    case 'worker':
      return [item.row.name, item.row.workerId, ...item.row.actions];
    case 'queue':
      return [item.row.action];
    case 'key':
      return [item.row.key, keyScope(item.row)];
    case 'limit':
      return [item.row.key];
    case 'cron':
      return [item.row.name, item.row.workflow, item.row.expression];
    case 'schedule':
      return [item.row.workflow, item.row.scheduleId];
  }
}

/** Where the selected row is: the first while the one that was chosen is not there. */
export function selectedIndex(state: UiState, items: readonly ListItem[]): number {
  const wanted = state.cursors[state.view];
  return Math.max(
    0,
    items.findIndex((item) => item.id === wanted),
  );
}

export function selectedItem(state: UiState): ListItem | undefined {
  const items = listItems(state);
  return items[selectedIndex(state, items)];
}

/** The workflow that a row is about; undefined where it is about none, or several. */
export function workflowOf(item: ListItem): string | undefined {
  switch (item.kind) {
    case 'workflow':
      return item.row.name;
    case 'queue':
      return item.row.action.split(':')[0];
    case 'key':
    case 'cron':
    case 'schedule':
      return item.row.workflow ?? undefined;
    case 'worker':
    case 'limit':
      return undefined;
  }
}

/** What `y` copies. */
export function idOf(item: ListItem): string {
  if (item.kind === 'queue') return item.row.action;
  return item.kind === 'key' || item.kind === 'limit' ? item.row.key : item.id;
}
