import type { ClientBase } from 'pg';
import type { Clock } from '../base/clock.ts';
import { LiveState } from '../model/live-state.ts';
import { isRunStatus, isTerminal } from '../model/status.ts';
import type { DurableAskCommand, DurableBranchCommand } from '../plan/commands/durable-command.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import { perTick } from '../plan/commands/tick.ts';
import { findListeners, type ComingEvent } from './durable-listeners.ts';
import { logFrom, readStoredLogs, visibleNodes } from './durable-logs.ts';
import type { Job } from './job.ts';
import { lookBack } from './look-back.ts';

interface ShardEvent extends ComingEvent {
  state: ShardState;
}

interface Sources {
  client: ClientBase;
  stateOf: (shard: number) => ShardState | undefined;
  clock: Clock;
}

/** Runs that exist, and how the newest generation of those that have ended did. */
const readChildren = {
  name: 'durable_children',
  text: `
    SELECT r.id, e.status, e.generation
    FROM unnest($1::uuid[]) AS u (id)
    JOIN run r ON r.id = u.id
    LEFT JOIN LATERAL (SELECT status, generation FROM run_end e WHERE e.run_id = r.id ORDER BY e.generation DESC, e.status DESC LIMIT 1) e ON true`,
};

/**
 * The logs that a batch needs and memory lacks: those of tasks that ask for something in a later start or after a restart,
 * and those of sleepers whose time or event has come.
 */
export async function loadDurable(sources: Sources, jobs: readonly Job[]): Promise<void> {
  const { client } = sources;
  const wanted: { state: ShardState; taskId: string }[] = [];
  const events: ShardEvent[] = [];
  const asks: { job: Job; command: DurableAskCommand }[] = [];
  for (const job of jobs) {
    const state = sources.stateOf(job.shard);
    if (state === undefined) continue;
    const { command } = job;
    switch (command.kind) {
      case 'durableAsk':
        command.uncertain = job.mayBeDone;
        asks.push({ job, command });
        wanted.push({ state, taskId: command.taskId });
        break;
      case 'durableMemo':
      case 'durableEvict':
      case 'durableSkip':
      case 'durableSignal':
        wanted.push({ state, taskId: command.taskId });
        break;
      case 'durableStatus':
        for (const { taskId } of command.tasks) wanted.push({ state, taskId });
        break;
      case 'tick':
        for (const row of state.deadlines.due(sources.clock.nowUs(), command.most ?? perTick))
          if (state.tasks.state[row] === LiveState.Evicted) wanted.push({ state, taskId: state.tasks.id(row) });
        break;
      case 'pushEvent':
        for (const { key, scope, payload } of command.events)
          events.push({ state, tenantId: command.tenantId, key, scope, payload });
        break;
      case 'durableBranch':
        await loadBranch(client, command, job.mayBeDone);
        wanted.push({ state, taskId: command.taskId });
        break;
      default:
        break; // needs no log
    }
  }
  wanted.push(...(await listeners(client, events)));
  await loadLogs(client, wanted);
  await loadChildren(
    client,
    asks.map(({ command }) => command),
  );
  for (const { job, command } of asks) await lookBack(sources, { job, command }, jobs);
}

/** Tasks that listen for the events, and that these may concern. A shard where none ever did is not asked for. */
async function listeners(
  client: ClientBase,
  events: readonly ShardEvent[],
): Promise<{ state: ShardState; taskId: string }[]> {
  const asked = events.filter(({ state }) => state.durable.listens);
  if (asked.length === 0) return [];
  const found = await findListeners(client, asked);
  return [...found].flatMap(([{ state }, taskIds]) => taskIds.map((taskId) => ({ state, taskId })));
}

async function loadLogs(client: ClientBase, wanted: readonly { state: ShardState; taskId: string }[]): Promise<void> {
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

/** Only children can exist before their parent asks for them, and only where an earlier start or another call made them. */
async function loadChildren(client: ClientBase, asks: readonly DurableAskCommand[]): Promise<void> {
  const ids = asks.flatMap(({ ask }) => (ask.kind === 'children' ? ask.children.map(({ run }) => run.runId) : []));
  if (ids.length === 0) return;
  const { rows } = await client.query<{ id: string; status: number | null; generation: number | null }>({
    ...readChildren,
    values: [ids],
  });
  for (const command of asks) {
    for (const { id, status, generation } of rows) {
      command.existing.add(id);
      if (status !== null && isRunStatus(status) && isTerminal(status))
        command.ended.set(id, { status, generation: generation ?? 1 });
    }
  }
}

async function loadBranch(client: ClientBase, command: DurableBranchCommand, mayBeDone: boolean): Promise<void> {
  const stored = (await readStoredLogs(client, [command.taskId])).get(command.taskId);
  const points = stored?.points ?? [];
  const newest = points.at(-1);
  // An uncertain try that has committed left a branch that nothing follows.
  command.made = mayBeDone && newest !== undefined && newest.branch > (command.seen ?? Infinity) ? newest : null;
  command.seen ??= points.at(-1)?.branch ?? 1;
  command.points = points;
  command.nodes =
    stored === undefined
      ? []
      : visibleNodes(stored, command.branch === 0 ? (points.at(-1)?.branch ?? 1) : command.branch);
}
