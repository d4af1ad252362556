import type { DurableTask } from './durable-index.ts';
import { journal, type Plan } from '../state/plan.ts';
import { makeReady } from '../queue/make-ready.ts';
import type { TaskRow } from '../state/table/rows.ts';
import { dismiss } from './dismiss-invocation.ts';
import { evict } from './evict-task.ts';

/** Back to the head of its queue: the attempt goes on in its next invocation, however long it waits for a worker. */
export function restore(plan: Plan, row: TaskRow): void {
  journal(plan, row, 'DURABLE_RESTORING');
  makeReady(plan, row, 'head', { isRestored: true });
}

/** The running invocation cannot go on: its worker is told to drop it, and the task starts again from its log. */
export function startAgain(plan: Plan, task: DurableTask, reason: string): void {
  dismiss(plan, task.row, reason);
  evict(plan, task, reason);
  restore(plan, task.row);
}
