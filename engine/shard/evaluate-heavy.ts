import type { CelResult } from '../cel/cel-result.ts';
import { CelVariables } from '../cel/cel-variables.ts';
import { compileCel } from '../cel/compile-cel.ts';
import { equalityGuards, isRuledOut } from '../cel/equality-guard.ts';
import { durableExpressions } from '../plan/durable/durable-event.ts';
import type { PushedEvent } from '../plan/commands/command.ts';
import type { ShardState, Version } from '../plan/state/shard-state.ts';
import { expressionsOf, type Job } from './job.ts';

/**
 * Conditions on the events and outputs that the batch brings, where they are too dear for the main thread: what the plan
 * will ask is looked up here, or marked as missing. Which can be asked is known from the definitions and logs in memory;
 * where a wait comes with the same batch as its event, the plan finds it missing, and the event is loaded again.
 */
export function evaluateHeavy(stateOf: (shard: number) => ShardState | undefined, jobs: readonly Job[]): void {
  for (const job of jobs) {
    const { command } = job;
    const state = stateOf(job.shard);
    if (state === undefined) continue;
    if (command.kind === 'pushEvent') {
      for (const event of command.events) {
        const variables = new CelVariables({ input: event.payload });
        const expressions = [
          ...eventExpressions(state, command.tenantId, event.key),
          ...durableExpressions(state.durable, { tenantId: command.tenantId, key: event.key }),
        ];
        event.evaluated = evaluated(job, event.id, { expressions, variables });
      }
    }
    const completed =
      command.kind === 'completed'
        ? [command]
        : command.kind === 'batchReport'
          ? command.items.filter((item) => item.event === 'completed')
          : [];
    for (const end of completed) {
      const row = state.tasks.find(end.taskId);
      if (row < 0) continue;
      const { version, index } = state.stepOf(row);
      const expressions = outputExpressions(version, index);
      if (expressions.length > 0)
        end.evaluated = evaluated(job, end.taskId, {
          expressions,
          variables: new CelVariables({ output: end.output }),
        });
    }
  }
}

/** Those that the plan evaluates itself are left to it. */
function evaluated(
  job: Job,
  place: string,
  { expressions, variables }: { expressions: readonly string[]; variables: CelVariables },
): NonNullable<PushedEvent['evaluated']> {
  const results = new Map<string, CelResult>();
  for (const expression of expressions) {
    if (results.has(expression) || compileCel(expression).isCheap(variables.chars)) continue;
    const result = isFalse(expression, variables)
      ? { ok: true as const, value: false }
      : expressionsOf(job).find(place, expression, variables);
    if (result !== undefined) results.set(expression, result);
  }
  return results;
}

/** Known without evaluating it. */
function isFalse(expression: string, variables: CelVariables): boolean {
  const guards = equalityGuards(expression);
  return guards.length > 0 && isRuledOut(guards, variables.values['input']);
}

/** What the children of a step ask about its output. */
export function outputExpressions(version: Version, index: number): string[] {
  return (version.children[index] ?? []).flatMap((child) =>
    (version.definition.steps[child]?.conditions ?? []).flatMap((condition) =>
      condition.kind === 'parent' && condition.parent === index && condition.expression !== ''
        ? [condition.expression]
        : [],
    ),
  );
}

function eventExpressions(state: ShardState, tenantId: string, key: string): Set<string> {
  const expressions = new Set<string>();
  for (const { version, definition } of state.steps) {
    if (version.tenantId !== tenantId) continue;
    for (const condition of definition.conditions)
      if (condition.kind === 'event' && condition.eventKey === key && condition.expression !== '')
        expressions.add(condition.expression);
  }
  return expressions;
}
