import type { Assignment } from '../../model/task/effect.ts';
import { RunStatus } from '../../model/task/status.ts';
import { inputBranchOf } from '../durable/branch-points.ts';
import type { Plan } from '../state/plan.ts';
import type { LiveRun, ShardState } from '../state/shard-state.ts';
import type { TaskRow } from '../state/table/rows.ts';
import type { PlannerWorker } from './planner-worker.ts';

/** What a worker is told of the task that it gets: whose outputs it can read, and, as the on-failure task, whose failures. */
export function assignment({ state }: Plan, row: TaskRow, worker: PlannerWorker): Assignment {
  const { tasks } = state;
  const step = state.stepOf(row);
  const { version } = step;
  const run = state.runOf(row);
  return {
    tenantId: version.tenantId,
    workerId: worker.id,
    taskId: tasks.id(row),
    runId: state.runIdOf(row),
    workflowId: version.workflowId,
    versionId: version.versionId,
    stepName: step.definition.name,
    action: step.definition.action,
    attempt: tasks.attempt[row] ?? 0,
    generation: tasks.generation[row] ?? 1,
    priority: tasks.priority[row] ?? 1,
    parents: step.definition.parents.map((parent) => ({
      name: version.definition.steps[parent]?.name ?? '',
      taskId: run?.taskIds[parent] ?? '',
    })),
    failed: run === undefined || version.definition.onFailure !== step.index ? [] : failedTasks(run),
    triggers: triggersOf(state, row),
    invocation: step.definition.durable ? (tasks.invocation[row] ?? 0) : null,
    inputBranch: step.definition.durable ? inputBranchOf(state.durable.branches.get(row) ?? []) : null,
  };
}

function failedTasks(run: LiveRun): { name: string; taskId: string }[] {
  return run.version.definition.steps.flatMap(({ name }, index) =>
    run.outcomes[index] === RunStatus.Failed ? [{ name, taskId: run.taskIds[index] ?? '' }] : [],
  );
}

/** What met the task's conditions, as JSON by data key. */
function triggersOf(state: ShardState, row: TaskRow): string {
  const wait = state.waits.get(row);
  if (wait === undefined) return '{}';
  const entries = state.stepOf(row).definition.conditions.flatMap(({ dataKey }, index) => {
    const data = wait.data[index] ?? null;
    return data === null || dataKey === '' ? [] : [`${JSON.stringify(dataKey)}:${data}`];
  });
  return `{${entries.join(',')}}`;
}
