import type { Context } from '../statement.ts';

interface Task {
  id: string;
  run_id: string;
  step: number;
}

interface End {
  status: number;
  generation: number;
}

/** `tasksOf`: a run's tasks, of which the only one of a run has no row. */
export function tasksOf({ tables, transaction }: Context, runId: string): Task[] {
  const run = tables.run.get(transaction, runId);
  if (run === undefined) return [];
  return run.one_task ? [{ id: runId, run_id: runId, step: 0 }] : tables.task.find(transaction, 'run_id', runId);
}

/** `newestEndOf`: how the newest generation of a run ended, by its own rows or by the result of its only task. */
export function newestEnd({ tables, transaction }: Context, runId: string): End | undefined {
  const results = tables.result.find(transaction, 'task_id', runId).filter((row) => row.status === 3);
  const ends: End[] = [...tables.run_end.find(transaction, 'run_id', runId), ...results];
  return ends.sort((a, b) => b.generation - a.generation || b.status - a.status)[0];
}

/** `definition -> 'steps' -> step ->> 'name'` of a version. */
export function stepName(definition: string, step: number): string | null {
  const parsed: unknown = JSON.parse(definition);
  const steps: unknown = Object(parsed).steps;
  const name: unknown = Array.isArray(steps) ? Object(steps[step]).name : undefined;
  return typeof name === 'string' ? name : null;
}
