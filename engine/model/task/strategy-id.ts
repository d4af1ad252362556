/** Which concurrency strategy it is: one that workflows share by its name, or the `index`th of a workflow or of a task of it. */
export type Strategy =
  | { readonly sharedName: string }
  | { readonly workflowId: string; readonly taskName: string | undefined; readonly index: number };

const shared = 'shared';

/** As stored with each task's demands: `shared/<name>`, `<workflow id>/<index>` or `<workflow id>/<task>/<index>`. */
export function strategyId(strategy: Strategy): string {
  if ('sharedName' in strategy) return `${shared}/${strategy.sharedName}`;
  const { workflowId, taskName, index } = strategy;
  return taskName === undefined ? `${workflowId}/${index}` : `${workflowId}/${taskName}/${index}`;
}

/** Names may hold slashes; ids of workflows do not. */
export function readStrategyId(id: string): Strategy {
  const slash = id.indexOf('/');
  const scope = id.slice(0, slash);
  const rest = id.slice(slash + 1);
  if (scope === shared) return { sharedName: rest };
  const last = rest.lastIndexOf('/');
  return {
    workflowId: scope,
    taskName: last < 0 ? undefined : rest.slice(0, last),
    index: Number(rest.slice(last + 1)),
  };
}
