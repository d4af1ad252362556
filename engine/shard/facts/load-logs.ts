import type { ClientBase } from 'pg';
import type { ComingEvent } from '../../plan/commands/kind.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';
import type { Asking } from './asking.ts';
import { findListeners } from './durable-listeners.ts';
import { logFrom, readStoredLogs } from './durable-logs.ts';

interface ShardEvent extends ComingEvent {
  state: ShardState;
}

/**
 * Brings the logs into the shards' memory that commands need and memory lacks: those of tasks that ask for something in a
 * later start or after a restart, and those of sleepers whose time or event has come.
 */
export async function loadLogs(client: ClientBase, asking: readonly Asking[]): Promise<void> {
  const wanted = asking.flatMap(({ state, needs }) => (needs.logsOf ?? []).map((taskId) => ({ state, taskId })));
  wanted.push(...(await listeners(client, asking)));
  const missing = new Map<string, { state: ShardState; row: number }>();
  for (const { state, taskId } of wanted) {
    const row = state.tasks.find(taskId);
    if (row >= 0 && state.durable.log(row) === undefined && state.stepOf(row).definition.durable)
      missing.set(taskId, { state, row });
  }
  if (missing.size === 0) return;
  const stored = await readStoredLogs(client, [...missing.keys()]);
  for (const [taskId, { state, row }] of missing) {
    const { durable, tasks } = state;
    const log = logFrom(taskId, stored.get(taskId), {
      invocation: tasks.invocation[row] ?? 0,
      begins: durable.unread.delete(row),
    });
    durable.hold(row, state.stepOf(row).version.tenantId, log);
    durable.loaded.add(row);
  }
}

/** Tasks that listen for the events, and that these may concern. A shard where none ever did is not asked for. */
async function listeners(
  client: ClientBase,
  asking: readonly Asking[],
): Promise<{ state: ShardState; taskId: string }[]> {
  const asked = asking.flatMap(({ state, needs }): ShardEvent[] =>
    state.durable.listens ? (needs.events ?? []).map((event) => ({ ...event, state })) : [],
  );
  if (asked.length === 0) return [];
  const found = await findListeners(client, asked);
  return [...found].flatMap(([{ state }, taskIds]) => taskIds.map((taskId) => ({ state, taskId })));
}
