import { LiveState } from '../../model/task/live-state.ts';
import type { BatchBuffer } from './batch-buffer.ts';
import { journal, moveTo, type Plan } from '../state/plan.ts';
import type { Placement } from '../queue/placement.ts';
import type { ShardState } from '../state/shard-state.ts';
import type { TaskRow } from '../state/table/rows.ts';

/** What a member adds to its batch's message besides payloads: ids, names, punctuation. */
const frameBytes = 320;

/**
 * Puts a task that has all its places among those that wait for the same batch. The interval counts from here, and so does
 * the order in the buffer, unless it comes back from a rate limit.
 */
export function gatherTask(
  plan: Plan,
  row: TaskRow,
  { rank, placement, keepsTurn }: { rank: number; placement: Placement; keepsTurn: boolean },
): void {
  const { state } = plan;
  const { tasks, undo, extras } = state;
  moveTo(plan, row, LiveState.Batching);
  if (!keepsTurn)
    state.deadlines.queue(row, { seq: state.nextSeq(plan.nowUs), dueUs: state.deadlines.dueUs(row) }, undo);
  const own = extras.get(row);
  if (own !== undefined) {
    undo.set(own, 'batchBytes', memberBytes(state, row));
    if (!keepsTurn) undo.set(own, 'gatheredUs', state.timeOf(tasks.seq[row] ?? 0, plan.nowUs));
  }
  journal(plan, row, 'WAITING_FOR_BATCH');
  const buffer = bufferOf(state, row, placement);
  buffer.list.insert(row, rank, undo);
  state.unsettled.noteQueue(buffer.queue);
}

/** Back to its place after a restart. */
export function restoreGathered(state: ShardState, row: TaskRow, rank: number, placement: Placement): void {
  const own = state.extras.get(row);
  if (own !== undefined) {
    own.batchBytes = memberBytes(state, row);
    own.gatheredUs = state.timeOf(state.tasks.seq[row] ?? 0, state.seenUs);
  }
  bufferOf(state, row, placement).list.insert(row, rank, state.undo);
}

/** Its placement has changed. */
export function moveGathered(plan: Plan, row: TaskRow, placement: Placement): void {
  const { state } = plan;
  const rank = state.tasks.rank[row] ?? 0;
  state.lists.leave(row, state.undo);
  const buffer = bufferOf(state, row, placement);
  buffer.list.insert(row, rank, state.undo);
  state.unsettled.noteQueue(buffer.queue);
}

function batchKeyOf(state: ShardState, row: TaskRow): string {
  return state.extras.get(row)?.demands.batch?.key ?? '';
}

/** The buffer that a task of this placement waits in; it comes into being with its first. */
export function bufferOf(state: ShardState, row: TaskRow, placement: Placement): BatchBuffer {
  const { version, definition, queue } = state.stepOf(row);
  if (definition.batch === null) throw new Error(`step ${definition.name} has no batch rule`);
  return state.batches.bufferFor({
    workflowId: version.workflowId,
    versionId: version.versionId,
    stepName: definition.name,
    rule: definition.batch,
    queue,
    key: batchKeyOf(state, row),
    placement,
  });
}

/** The member's share of the message: its input, its parents' outputs, and what met its conditions. */
function memberBytes(state: ShardState, row: TaskRow): number {
  const run = state.runOf(row);
  const { parents } = state.stepOf(row).definition;
  const outputs = parents.reduce((sum, parent) => sum + (run?.outputBytes.get(parent) ?? 0) + frameBytes, 0);
  const data = (state.waits.get(row)?.data ?? []).reduce((sum, each) => sum + Buffer.byteLength(each ?? ''), 0);
  return frameBytes + (state.extras.get(row)?.demands.batch?.bytes ?? 0) + outputs + data;
}
