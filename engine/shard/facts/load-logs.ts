import type { Sql } from '../../postgres/sql-client.ts';
import type { ComingEvent } from '../../plan/commands/kind.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';
import type { Asking } from './asking.ts';
import { findListeners } from './durable-listeners.ts';
import { logFrom, readShortLogs, type StoredLog } from './durable-logs.ts';
import { shortLog, type LongLogs } from './long-logs.ts';

/** A log that a command needs and memory lacks. */
interface Wanted {
  asking: Asking;
  taskId: string;
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
): Promise<ReadonlyMap<string, StoredLog>> {
  for (const { job } of asking) job.longLogs = [];
  const wanted: Wanted[] = [...asking.flatMap(wantedOf), ...(await listeners(client, asking))];
  if (wanted.length === 0) return new Map();
  const { logs, long } = await readShortLogs(client, [...new Set(wanted.map(({ taskId }) => taskId))], shortLog);
  for (const taskId of long) {
    const log = await longLogs.take(client, taskId);
    if (log !== undefined) logs.set(taskId, log);
  }
  const absent = new Set(long.filter((taskId) => !logs.has(taskId)));
  for (const { asking: each, taskId, isOptional } of wanted) {
    if (!absent.has(taskId)) hold(each.state, taskId, logs.get(taskId));
    else if (isOptional) void longLogs.read(taskId);
    else each.job.longLogs = [...each.job.longLogs, taskId];
  }
  return logs;
}

function wantedOf(asking: Asking): Wanted[] {
  const { state, needs } = asking;
  const isLacking = (taskId: string): boolean => lacks(state, taskId);
  const want = (taskIds: readonly string[], isOptional: boolean): Wanted[] =>
    taskIds.map((taskId) => ({ asking, taskId, isOptional }));
  return [
    ...want((needs.logsOf ?? []).filter(isLacking), false),
    ...want((needs.sleepers ?? []).filter(isLacking), true),
    ...want(needs.branch === undefined ? [] : [needs.branch.taskId], false),
  ];
}

function lacks(state: ShardState, taskId: string): boolean {
  const row = state.tasks.find(taskId);
  return row >= 0 && state.durable.log(row) === undefined && state.stepOf(row).definition.durable;
}

function hold(state: ShardState, taskId: string, stored: StoredLog | undefined): void {
  if (!lacks(state, taskId)) return;
  const row = state.tasks.find(taskId);
  const { durable, tasks } = state;
  const log = logFrom(taskId, stored, {
    invocation: tasks.invocation[row] ?? 0,
    begins: durable.unread.delete(row),
  });
  durable.hold(row, state.stepOf(row).version.tenantId, log);
  durable.loaded.add(row);
}

/** Tasks that listen for the events, and that these may concern. A shard where none ever did is not asked for. */
async function listeners(client: Sql, asking: readonly Asking[]): Promise<Wanted[]> {
  const asked = asking.flatMap((each) =>
    each.state.durable.listens
      ? (each.needs.events ?? []).map((event): ComingEvent & { asking: Asking } => ({ ...event, asking: each }))
      : [],
  );
  if (asked.length === 0) return [];
  const found = await findListeners(client, asked);
  return [...found].flatMap(([{ asking: each }, taskIds]) =>
    taskIds
      .filter((taskId) => lacks(each.state, taskId))
      .map((taskId) => ({ asking: each, taskId, isOptional: false })),
  );
}
