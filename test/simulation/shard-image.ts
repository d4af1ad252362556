import { storedResolutions } from '../../engine/plan/conditions/task-wait.ts';
import { LiveFlag, LiveState } from '../../engine/model/task/live-state.ts';
import type { ShardState } from '../../engine/plan/state/shard-state.ts';

/** What a shard's memory says, as lines that can be compared with those of the same shard as it is recovered. */
export function shardImage(state: ShardState): string[] {
  const { tasks } = state;
  const lines: string[] = [];
  for (const row of tasks.rows()) {
    const extras = state.extras.get(row);
    const wait = state.waits.get(row);
    const dueUs = state.deadlines.dueUs(row);
    lines.push(
      [
        'task',
        tasks.id(row),
        state.runIdOf(row),
        tasks.state[row],
        tasks.flags[row],
        tasks.priority[row],
        tasks.generation[row],
        tasks.attempt[row],
        tasks.retries[row],
        tasks.reassigns[row],
        tasks.deaths[row],
        tasks.unanswered[row],
        tasks.invocation[row],
        tasks.seq[row],
        state.workerOf(row)?.id,
        state.batches.ofRow.get(row)?.id,
        `places ${extras?.runRequest?.held ?? false} ${extras?.taskRequest?.held ?? false}`,
        // When, is not stored with every standstill, and not at all for what is put off.
        dueUs === 0 ? 'not due' : 'due',
        `waits ${wait === undefined ? '' : JSON.stringify([wait.sinceSeq, storedResolutions(wait)])}`,
      ].join(' '),
    );
  }
  for (const group of state.groups.values())
    if (group.held > 0) lines.push(`key ${group.id} ${group.held} of ${group.maxRuns}`);
  for (const limit of state.rateLimits.values())
    if (limit.used > 0) lines.push(`limit ${limit.key} ${limit.used} since ${limit.windowStartUs}`);
  for (const worker of state.workersById.values()) {
    if (worker.tasks.size > 0)
      lines.push(`worker ${worker.id} uses ${worker.used.get('default') ?? 0}, ${worker.tasks.size} tasks`);
  }
  for (const [id, runRow] of state.runsById)
    lines.push(`run ${id} ${state.runs[runRow]?.unfinished} ${state.runs[runRow]?.outcomes.join()}`);
  for (const cron of state.crons.values()) lines.push(`cron ${cron.id} ${cron.dueUs}`);
  for (const schedule of state.schedules.values()) lines.push(`schedule ${schedule.id} ${schedule.dueUs}`);
  for (const { eventId, seq } of state.wakings) lines.push(`waking ${eventId} ${seq}`);
  return lines.sort();
}

/** What no memory may say, whatever is stored. @returns the first that it says */
export function brokenMemory(state: ShardState): string | undefined {
  const { tasks } = state;
  const used = new Map<string, number>();
  for (const row of tasks.rows()) {
    const live = tasks.state[row];
    const worker = state.workerOf(row);
    if ((worker !== undefined) !== (live === LiveState.Running || live === LiveState.Cancelling))
      return `task ${tasks.id(row)} in state ${live} has worker ${worker?.id}`;
    const isQueued = live === LiveState.Ready || live === LiveState.RateLimited || live === LiveState.Batching;
    if ((tasks.rank[row] !== 255) !== isQueued)
      return `task ${tasks.id(row)} in state ${live} stands in no line, or in one too many`;
    const batch = state.batches.ofRow.get(row);
    const takesSlots = batch === undefined || [...batch.rows][0] === row;
    if (worker !== undefined && takesSlots && ((tasks.flags[row] ?? 0) & LiveFlag.SlotReleased) === 0)
      used.set(worker.id, (used.get(worker.id) ?? 0) + (state.stepOf(row).definition.slots['default'] ?? 0));
  }
  for (const worker of state.workersById.values()) {
    const slots = worker.used.get('default') ?? 0;
    if (slots !== (used.get(worker.id) ?? 0))
      return `worker ${worker.id} counts ${slots} slots, and its tasks take ${used.get(worker.id) ?? 0}`;
    if (slots > (worker.slots.get('default') ?? 0)) return `worker ${worker.id} has more tasks than slots`;
  }
  for (const group of state.groups.values()) {
    if (group.held > group.maxRuns) return `key ${group.id} gave ${group.held} places of ${group.maxRuns}`;
    if (!group.isFull && group.waiting.length > 0 && !state.hasMore)
      return `${group.waiting.length} wait for a place of key ${group.id}, which has room`;
  }
  for (const limit of state.rateLimits.values())
    if (limit.used > limit.windowLimit) return `limit ${limit.key} gave ${limit.used} units of ${limit.windowLimit}`;
  for (const group of state.batches.groups.values())
    for (const { rule } of group.buffers.values())
      if (group.running.size > (rule.groupMaxRuns ?? Infinity))
        return `key ${group.id} runs ${group.running.size} batches`;
  return undefined;
}
