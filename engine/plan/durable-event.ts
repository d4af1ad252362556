import { compileCel } from '../cel/compile-cel.ts';
import { equalityGuards, isRuledOut } from '../cel/equality-guard.ts';
import { conditionsOf, type DurableLog, type DurableNode } from './durable-log.ts';
import { meetCondition } from './durable-satisfy.ts';
import type { MeetableEvent } from './meet-event.ts';
import type { Plan } from './plan.ts';
import { holds } from './review-task.ts';

/** Gives an event to the durable tasks that wait for one of its key. */
export function meetDurableEvent(plan: Plan, event: MeetableEvent): void {
  const { durable } = plan.state;
  const rows = durable.listeners(event.tenantId, event.key);
  if (rows.length === 0) return;
  const input: unknown = JSON.parse(event.payload);
  for (const row of rows) {
    const log = durable.log(row);
    if (log === undefined) continue;
    for (const node of Array.from(log.openWaits())) {
      for (const [index, condition] of conditionsOf(node).entries()) {
        if (condition.kind !== 'event' || condition.eventKey !== event.key || (condition.scope !== null && condition.scope !== event.scope)) continue;
        if (isRuledOut(equalityGuards(condition.expression), input)) continue;
        const { met, why } = holds(condition.expression, { input }, event.evaluated);
        if (met) meetCondition(plan, row, log, { node, index, data: event.payload });
        else if (why !== undefined) complain(plan, row, log, { node, index, why });
      }
    }
  }
}

/** Once: events with the key may be many. */
function complain(plan: Plan, row: number, log: DurableLog, { node, index, why }: { node: DurableNode; index: number; why: string }): void {
  const { state } = plan;
  const place = `${node.branch} ${node.node} ${index}`;
  if (log.complained.has(place)) return;
  log.complained.add(place);
  state.undo.record(() => log.complained.delete(place));
  plan.changes.effects.push({ kind: 'durableTrouble', tenantId: state.stepOf(row).version.tenantId, taskId: log.taskId, attempt: state.tasks.attempt[row] ?? 0, message: why });
}

/** Those of the expressions that listeners in memory would have evaluated on the main thread and are too heavy for it. */
export function heavyDurableExpressions(durable: Plan['state']['durable'], event: { tenantId: string; key: string; payload: string }): string[] {
  const expressions = new Set<string>();
  const rows = durable.listeners(event.tenantId, event.key);
  const input: unknown = rows.length === 0 ? null : JSON.parse(event.payload);
  for (const row of rows) {
    for (const node of durable.log(row)?.openWaits() ?? []) {
      for (const condition of conditionsOf(node)) {
        if (condition.kind !== 'event' || condition.eventKey !== event.key || condition.expression === '' || isRuledOut(equalityGuards(condition.expression), input)) continue;
        if (compileCel(condition.expression).heavy) expressions.add(condition.expression);
      }
    }
  }
  return [...expressions];
}
