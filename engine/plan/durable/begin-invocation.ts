import { firstBranch } from '../../model/durable/durable.ts';
import type { Plan } from '../state/plan.ts';
import { InvocationProgress } from './invocation-progress.ts';
import { DurableLog } from './durable-log.ts';
import type { TaskRow } from '../state/table/rows.ts';

/**
 * A durable task starts, for the first time or again. The first start has an empty log, which needs no read; a later one
 * goes on with the log that is in memory, or has the loader read it with its first operation.
 */
export function beginInvocation(plan: Plan, row: TaskRow): void {
  const { state } = plan;
  const { tasks, undo, durable } = state;
  const invocation = (tasks.invocation[row] ?? 0) + 1;
  tasks.write('invocation', row, invocation, undo);
  const before = durable.task(row);
  if (invocation > 1 && (before === undefined || before.log.isProvisional)) {
    durable.exchange(row, undefined, undo);
    undo.add(durable.unread, row);
    return;
  }
  const log = new DurableLog({
    taskId: tasks.id(row),
    branch: before?.log.branch ?? firstBranch,
    nodes: before?.log.nodes ?? [],
  });
  for (const [key, node] of before?.log.signals ?? []) log.signals.set(key, node);
  const delivery = new InvocationProgress({ position: 0, movedUs: plan.nowUs });
  durable.exchange(row, { row, tenantId: state.stepOf(row).version.tenantId, log, delivery }, undo);
}
