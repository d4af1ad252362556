import type { CelEvaluator } from '../cel/cel-evaluator.ts';
import type { CelResult } from '../cel/cel-result.ts';
import { compileCel } from '../cel/compile-cel.ts';
import { heavyDurableExpressions } from '../plan/durable-event.ts';
import type { ShardState, Version } from '../plan/shard-state.ts';
import type { Job } from './job.ts';

/**
 * Conditions with loops, on the outputs that the batch brings: evaluated off the main thread before the plan. Which ones
 * can be asked for is known from the definitions in memory, since a version that the same batch makes has no runs yet.
 */
export async function evaluateHeavy(sources: { cel: CelEvaluator; stateOf: (shard: number) => ShardState | undefined }, jobs: readonly Job[]): Promise<void> {
  for (const job of jobs) {
    const { command } = job;
    if (command.kind === 'pushEvent') {
      for (const event of command.events) {
        const state = sources.stateOf(job.shard);
        const waiting = [...heavyEventExpressions(state, command.tenantId, event.key), ...(state === undefined ? [] : heavyDurableExpressions(state.durable, { tenantId: command.tenantId, key: event.key, payload: event.payload }))];
        if (waiting.length > 0) event.evaluated = await evaluateAll(sources.cel, waiting, { input: JSON.parse(event.payload) });
      }
    }
    const completed = command.kind === 'completed' ? [command] : command.kind === 'batchReport' ? command.items.filter((item) => item.event === 'completed') : [];
    for (const end of completed) {
      const state = sources.stateOf(job.shard);
      const row = state?.tasks.find(end.taskId) ?? -1;
      if (state === undefined || row < 0) continue;
      const { version, index } = state.stepOf(row);
      const expressions = heavyExpressions(version, index);
      if (expressions.length > 0) end.evaluated = await evaluateAll(sources.cel, expressions, { output: JSON.parse(end.output) });
    }
  }
}

async function evaluateAll(cel: CelEvaluator, expressions: readonly string[], variables: Record<string, unknown>): Promise<Map<string, CelResult>> {
  const results = await Promise.all(expressions.map(async (expression) => [expression, await cel.evaluate(expression, variables)] as const));
  return new Map(results);
}

/** What the children of a step ask about its output, where that is for the evaluator. */
export function heavyExpressions(version: Version, index: number): string[] {
  return (version.children[index] ?? []).flatMap((child) =>
    (version.definition.steps[child]?.conditions ?? []).flatMap((condition) => (condition.kind === 'parent' && condition.parent === index && condition.expression !== '' && compileCel(condition.expression).heavy ? [condition.expression] : [])),
  );
}

function heavyEventExpressions(state: ShardState | undefined, tenantId: string, key: string): string[] {
  const expressions = new Set<string>();
  for (const { version, definition } of state?.steps ?? []) {
    if (version.tenantId !== tenantId) continue;
    for (const condition of definition.conditions) {
      if (condition.kind === 'event' && condition.eventKey === key && condition.expression !== '' && compileCel(condition.expression).heavy) expressions.add(condition.expression);
    }
  }
  return [...expressions];
}
