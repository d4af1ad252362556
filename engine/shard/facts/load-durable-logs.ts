import { firstBranch } from '../../model/durable/durable.ts';
import type { Sql } from '../../postgres/sql-client.ts';
import { oldestVisibleBranch } from '../../plan/durable/branch-points.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';
import type { Asking } from './command-needs.ts';
import { loadedLog, readShortLogs, type LogPart, type StoredLog } from './stored-durable-logs.ts';
import type { LoadedEventWaiters } from './load-event-waiters.ts';
import { shortLog, type LongLogs } from './long-durable-logs.ts';
import type { TaskRow } from '../../plan/state/table/rows.ts';

/** A log that a command needs and memory lacks. */
interface Wanted {
  asking: Asking;
  taskId: string;
  /** As in LogPart. */
  oldestBranch: number;
  /** The command can do without it for now. */
  isOptional: boolean;
}

/**
 * Brings the logs into the shards' memory that commands need and memory lacks: those of tasks that ask for something in a
 * later start or after a restart, and those of sleepers whose time or event has come. Long ones are read beside the lane:
 * whoever needs one waits for it (`job.longLogs`).
 * @returns what was read, by task
 */
export async function loadLogs(
  client: Sql,
  longLogs: LongLogs,
  asking: readonly Asking[],
  listeners: LoadedEventWaiters['tasks'],
): Promise<ReadonlyMap<string, StoredLog>> {
  for (const { job } of asking) if (job.longLogs.length > 0) job.longLogs = [];
  const wanted: Wanted[] = [...asking.flatMap(wantedOf), ...wantedListeners(listeners)];
  if (wanted.length === 0) return new Map();
  const parts = partsOf(wanted);
  const { logs, long } = await readShortLogs(client, [...parts.values()], shortLog);
  for (const taskId of long) {
    const log = await longLogs.take(client, parts.get(taskId) ?? { taskId, oldestBranch: firstBranch });
    if (log !== undefined) logs.set(taskId, log);
  }
  const absent = new Set(long.filter((taskId) => !logs.has(taskId)));
  for (const { asking: each, taskId, isOptional } of wanted) {
    if (!absent.has(taskId)) hold(each.state, taskId, logs.get(taskId));
    else if (isOptional) void longLogs.read(parts.get(taskId) ?? { taskId, oldestBranch: firstBranch });
    else each.job.longLogs = [...each.job.longLogs, parts.get(taskId) ?? { taskId, oldestBranch: firstBranch }];
  }
  return logs;
}

/** One part for each task: what all who want it need. */
function partsOf(wanted: readonly Wanted[]): Map<string, LogPart> {
  const parts = new Map<string, LogPart>();
  for (const { taskId, oldestBranch } of wanted) {
    const least = Math.min(oldestBranch, parts.get(taskId)?.oldestBranch ?? oldestBranch);
    parts.set(taskId, { taskId, oldestBranch: least });
  }
  return parts;
}

function visiblePart(state: ShardState, taskId: string): LogPart {
  const row = state.tasks.find(taskId);
  const points = row === undefined ? [] : (state.durable.branches.get(row) ?? []);
  return { taskId, oldestBranch: oldestVisibleBranch(points) };
}

const nothing: readonly Wanted[] = [];

function wantedOf(asking: Asking): readonly Wanted[] {
  const { state, needs } = asking;
  const { logsOf, sleepers, branch } = needs;
  // Of most commands: a running task's log is in memory.
  if (sleepers === undefined && branch === undefined && !(logsOf ?? []).some((taskId) => lacks(state, taskId)))
    return nothing;
  const isLacking = (taskId: string): boolean => lacks(state, taskId);
  const want = (taskIds: readonly string[], isOptional: boolean): Wanted[] =>
    taskIds.map((taskId) => ({ asking, ...visiblePart(state, taskId), isOptional }));
  return [
    ...want((needs.logsOf ?? []).filter(isLacking), false),
    ...want((needs.sleepers ?? []).filter(isLacking), true),
    // Of any branch, a node may be asked for.
    ...(needs.branch === undefined
      ? []
      : [{ asking, taskId: needs.branch.taskId, oldestBranch: firstBranch, isOptional: false }]),
  ];
}

function lacks(state: ShardState, taskId: string): boolean {
  return lackingRow(state, taskId) !== undefined;
}

function lackingRow(state: ShardState, taskId: string): TaskRow | undefined {
  const row = state.tasks.find(taskId);
  const isLacking = row !== undefined && state.durable.task(row) === undefined && state.stepOf(row).definition.durable;
  return isLacking ? row : undefined;
}

function hold(state: ShardState, taskId: string, stored: StoredLog | undefined): void {
  const row = lackingRow(state, taskId);
  if (row === undefined) return;
  const { durable, tasks } = state;
  const loaded = loadedLog(taskId, stored, {
    invocation: tasks.invocation[row] ?? 0,
    begins: durable.unread.delete(row),
  });
  durable.hold({ row, tenantId: state.stepOf(row).version.tenantId, ...loaded });
  durable.loaded.add(row);
}

/** Tasks that listen for the commands' events, and that these may concern. */
function wantedListeners(listeners: LoadedEventWaiters['tasks']): Wanted[] {
  return listeners
    .filter(({ asking, taskId }) => lacks(asking.state, taskId))
    .map(({ asking, taskId }) => ({ asking, ...visiblePart(asking.state, taskId), isOptional: false }));
}
