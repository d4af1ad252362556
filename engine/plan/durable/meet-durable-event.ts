import { CelVariables } from '../../cel/cel-variables.ts';
import { equalityGuards, isRuledOut } from '../../cel/equality-guard.ts';
import { groupBy } from '../../model/group-by.ts';
import type { DurableTask } from './durable-index.ts';
import { conditionsOf, type DurableNode } from './durable-log.ts';
import { meetCondition } from './satisfy-node.ts';
import type { MeetableEvent } from '../conditions/meet-event.ts';
import type { Plan } from '../state/plan.ts';
import { holds } from '../conditions/evaluate-condition.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** A condition of a durable task's open wait, as it stands in `durable_listen`. */
export interface Listener {
  readonly taskId: string;
  readonly branch: number;
  readonly node: number;
  readonly condition: number;
  readonly expression: string;
}

/** Gives an event to the durable tasks in memory that wait for one of its key: the loader has brought all that it concerns. */
export function meetDurableEvent(plan: Plan, event: MeetableEvent): void {
  const { durable } = plan.state;
  const tasks = durable.listeners(event.tenantId, event.key);
  if (tasks.length === 0) return;
  const variables = new CelVariables({ input: event.payload });
  for (const task of tasks) meetTask(plan, event, task, variables);
}

/** Gives an event to these conditions alone. Their tasks' logs are in memory, unless they have ended. */
export function meetListeners(plan: Plan, event: MeetableEvent, listeners: readonly Listener[]): void {
  const { durable, tasks } = plan.state;
  const variables = new CelVariables({ input: event.payload });
  const places = new Set(listeners.map(placeOf));
  for (const [taskId] of groupBy(listeners, (listener) => listener.taskId)) {
    const row = tasks.find(taskId);
    const task = row === undefined ? undefined : durable.task(row);
    if (task !== undefined)
      meetTask(plan, event, task, variables, ({ branch, node }, condition) =>
        places.has(placeOf({ taskId, branch, node, condition })),
      );
  }
}

function placeOf({ taskId, branch, node, condition }: Omit<Listener, 'expression'>): string {
  return `${taskId} ${branch} ${node} ${condition}`;
}

function meetTask(
  plan: Plan,
  event: MeetableEvent,
  task: DurableTask,
  variables: CelVariables,
  isMeant: (node: DurableNode, condition: number) => boolean = () => true,
): void {
  // One that has ended in this very transaction is in memory until it is stored.
  if (plan.state.tasks.alive[task.row] !== 1) return;
  const { input } = variables.values;
  for (const node of Array.from(task.log.openWaits())) {
    for (const [index, condition] of conditionsOf(node).entries()) {
      if (
        condition.kind !== 'event' ||
        condition.eventKey !== event.key ||
        (condition.scope !== null && condition.scope !== event.scope) ||
        !isMeant(node, index)
      )
        continue;
      if (isRuledOut(equalityGuards(condition.expression), input)) continue;
      const { met, why } = holds(condition.expression, variables, event.evaluated);
      if (met) meetCondition(plan, task, { node, index, data: event.payload });
      else if (why !== undefined) complain(plan, task, { node, index, why });
    }
  }
}

/** Once: events with the key may be many. */
function complain(
  plan: Plan,
  { row, log, delivery }: DurableTask,
  { node, index, why }: { node: DurableNode; index: number; why: string },
): void {
  const { state } = plan;
  if (!delivery.complain(node, index, state.undo)) return;
  plan.changes.effects.push({
    kind: 'durableTrouble',
    tenantId: state.stepOf(row).version.tenantId,
    taskId: log.taskId,
    attempt: state.tasks.attempt[row] ?? 0,
    message: why,
  });
}

/** The expressions that listeners in memory may ask about an event. */
export function durableExpressions(
  durable: Plan['state']['durable'],
  event: { tenantId: TenantId; key: string },
): Set<string> {
  const expressions = new Set<string>();
  for (const { log } of durable.listeners(event.tenantId, event.key)) {
    for (const node of log.openWaits()) {
      for (const condition of conditionsOf(node))
        if (condition.kind === 'event' && condition.eventKey === event.key && condition.expression !== '')
          expressions.add(condition.expression);
    }
  }
  return expressions;
}
