import type { TransactionRows, IdempotencyRow, ShardStep, WorkerUpdateRow } from '../model/stored-rows.ts';
import type { TransactionStatement } from '../postgres/transaction-query.ts';
import { insertsOf, type CopyStatement } from './copy-statement.ts';
import type { Statement } from './statement.ts';
import type { StagedIds } from './staged-payloads.ts';
import { assertStaged } from './statements/assert-staged.ts';
import { assertShards } from './statements/assert-shards.ts';
import { deleteLive } from './statements/delete-live.ts';
import { insertVersions, insertWorkflows, updateWorkflows } from './statements/insert-definitions.ts';
import { insertEventRuns, insertEvents } from './statements/insert-events.ts';
import { writeDeliveries } from './statements/write-deliveries.ts';
import { deleteFilters, writeFilters } from './statements/write-filters.ts';
import { insertHistory } from './statements/insert-history.ts';
import { insertLive } from './statements/insert-live.ts';
import { insertResults, insertStagedResults } from './statements/insert-results.ts';
import { insertRunEnds } from './statements/insert-run-ends.ts';
import { insertRuns, insertStagedRuns } from './statements/insert-runs.ts';
import { insertTasks } from './statements/insert-tasks.ts';
import { updateLive } from './statements/update-live.ts';
import { updateSticky } from './statements/update-sticky.ts';
import { writeRateLimits } from './statements/write-rate-limits.ts';
import { deleteWaits, writeWaits } from './statements/write-waits.ts';
import {
  deleteCrons,
  deleteSchedules,
  insertSchedules,
  updateCrons,
  updateSchedules,
  writeCrons,
} from './statements/write-timers.ts';
import {
  deleteDurableListens,
  deleteDurableTasks,
  insertDurableEntries,
  insertDurableListens,
  insertDurableResults,
} from './statements/write-durable.ts';
import { deleteWakings, insertWakings } from './statements/write-wakings.ts';
import { writeIdempotency } from './statements/write-idempotency.ts';
import { insertWorkers, updateWorkers } from './statements/write-workers.ts';

/** The statements of one transaction, in order: first the shards' rows, whose lock keeps every other owner out. */
export function transactionQueries(
  shards: readonly ShardStep[],
  transaction: number,
  rows: TransactionRows,
  staged: StagedIds,
): TransactionStatement[] {
  const queries: TransactionStatement[] = [
    { name: assertShards.name, text: assertShards.text, values: assertShards.values(shards, transaction) },
  ];
  const add = <Row>(statement: Statement<Row>, list: readonly Row[]): void => {
    if (list.length > 0)
      queries.push({ name: statement.name, text: statement.text, values: statement.values(list, staged) });
  };
  const copy = <Row>(statement: CopyStatement<Row>, list: readonly Row[]): void => {
    queries.push(...insertsOf(statement, list));
  };
  if (staged.size > 0) add(assertStaged, [...new Set(staged.values())]);
  add(insertWorkflows, rows.workflows);
  add(insertVersions, rows.versions);
  add(updateWorkflows, lastOf(rows.workflowUpdates));
  add(insertWorkers, rows.workers);
  add(updateWorkers, mergeUpdates(rows.workerUpdates));
  if (staged.size > 0) add(insertStagedRuns, rows.runs);
  else copy(insertRuns, rows.runs);
  copy(
    insertTasks,
    rows.tasks.filter(({ id, runId }) => id !== runId),
  );
  // A task that goes and comes again in one transaction (its worker was told, then a replay) must be gone first.
  add(deleteLive, rows.liveDeletes);
  copy(insertLive, rows.liveInserts);
  add(updateLive, rows.liveUpdates);
  add(updateSticky, rows.stickies);
  add(writeRateLimits, rows.rateLimits);
  add(insertEvents, rows.events);
  add(insertEventRuns, rows.eventRuns);
  add(insertWakings, rows.wakings);
  add(deleteWakings, rows.wakingDeletes);
  add(writeDeliveries, rows.deliveries);
  add(writeFilters, lastOf(rows.filters));
  add(deleteFilters, rows.filterDeletes);
  add(deleteCrons, rows.cronDeletes);
  add(writeCrons, rows.crons);
  add(updateCrons, lastOf(rows.cronUpdates));
  add(insertSchedules, rows.schedules);
  add(updateSchedules, lastOf(rows.scheduleUpdates));
  add(deleteSchedules, rows.scheduleDeletes);
  add(deleteWaits, rows.waitDeletes);
  add(writeIdempotency, lastByKey(rows.keyClaims));
  add(writeWaits, rows.waits);
  add(insertDurableEntries, rows.durableEntries);
  add(insertDurableResults, rows.durableResults);
  // A wait that began and ended in this transaction listens no more: first those that begin, then those that end.
  add(insertDurableListens, rows.durableListens);
  add(deleteDurableListens, rows.durableListenDeletes);
  add(deleteDurableTasks, rows.durableEnds);
  if (staged.size > 0) add(insertStagedResults, rows.results);
  else copy(insertResults, rows.results);
  copy(
    insertRunEnds,
    rows.runEnds.filter(({ saidByResult }) => !saidByResult),
  );
  copy(
    insertHistory,
    rows.history.filter(({ toldByRun }) => toldByRun !== true),
  );
  return queries;
}

/** A key that ran out and was claimed again within one transaction is written once. */
function lastByKey(rows: readonly IdempotencyRow[]): IdempotencyRow[] {
  return [...new Map(rows.map((row) => [`${row.tenantId} ${row.key}`, row])).values()];
}

/** One row a key in an UPDATE's source: the last one counts. */
function lastOf<Row extends { id: string }>(rows: readonly Row[]): Row[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}

function mergeUpdates(updates: readonly WorkerUpdateRow[]): WorkerUpdateRow[] {
  const merged = new Map<string, WorkerUpdateRow>();
  for (const update of updates) {
    const before = merged.get(update.id);
    if (before === undefined) {
      merged.set(update.id, update);
      continue;
    }
    const labels = [before.labels, update.labels].filter((text) => text !== null);
    merged.set(update.id, {
      id: update.id,
      labels:
        labels.length === 0
          ? null
          : JSON.stringify(Object.assign({}, ...labels.map((text): unknown => JSON.parse(text)))),
      paused: update.paused ?? before.paused,
      ended: update.ended || before.ended,
    });
  }
  return [...merged.values()];
}
