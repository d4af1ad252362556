import { CelVariables } from '../../cel/cel-variables.ts';
import type { ShardState } from '../state/shard-state.ts';
import type { Version } from '../state/workflow-version.ts';

/** What conditions ask about the outputs of tasks that are about to end, by the tasks' ids. */
export function outputExpressions(
  state: ShardState,
  ends: readonly { taskId: string; output: string }[],
): { place: string; expressions: readonly string[]; variables: CelVariables }[] {
  return ends.flatMap(({ taskId, output }) => {
    const row = state.tasks.find(taskId);
    if (row === undefined) return [];
    const { version, index } = state.stepOf(row);
    const expressions = childExpressions(version, index);
    return expressions.length === 0 ? [] : [{ place: taskId, expressions, variables: new CelVariables({ output }) }];
  });
}

/** What the children of a step ask about its output. */
export function childExpressions(version: Version, index: number): string[] {
  return (version.children[index] ?? []).flatMap((child) =>
    (version.definition.steps[child]?.conditions ?? []).flatMap((condition) =>
      condition.kind === 'parent' && condition.parent === index && condition.expression !== ''
        ? [condition.expression]
        : [],
    ),
  );
}
