import { firstBranch } from '../../model/durable/durable.ts';
import { DurableLog } from './durable-log.ts';
import type { Plan } from '../state/plan.ts';

/**
 * A durable task starts, for the first time or again. The first start has an empty log, which needs no read; a later one
 * goes on with the log that is in memory, or has the loader read it with its first operation.
 */
export function beginInvocation(plan: Plan, row: number): void {
  const { state } = plan;
  const { tasks, undo, durable } = state;
  const { tenantId } = state.stepOf(row).version;
  const invocation = (tasks.invocation[row] ?? 0) + 1;
  tasks.write('invocation', row, invocation, undo);
  const before = durable.log(row);
  if (invocation > 1 && (before === undefined || before.isProvisional)) {
    durable.drop(row);
    durable.unread.add(row);
    undo.record(() => {
      durable.unread.delete(row);
      if (before !== undefined) durable.hold(row, tenantId, before);
    });
    return;
  }
  const log = new DurableLog({
    taskId: tasks.id(row),
    branch: before?.branch ?? firstBranch,
    nodes: before?.nodes ?? [],
    position: 0,
  });
  for (const [key, node] of before?.signals ?? []) log.signals.set(key, node);
  log.movedUs = plan.nowUs;
  durable.drop(row);
  durable.hold(row, tenantId, log);
  undo.record(() => {
    durable.drop(row);
    if (before !== undefined) durable.hold(row, tenantId, before);
  });
}
