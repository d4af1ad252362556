import type { RunDetail } from './run-reader.ts';

/** What a run gives: its task's output, or for several tasks an object of them by name. */
export function runOutput({ tasks }: RunDetail): unknown {
  if (tasks.length === 1) return tasks[0]?.output ?? null;
  return Object.fromEntries(tasks.map((task) => [task.name, task.output]));
}

/** Why a run failed, for a person. */
export function runFailure({ run, tasks }: RunDetail): string {
  const failed = tasks.filter((task) => task.status === 'FAILED');
  if (failed.length === 0) return run.errorMessage ?? `the run was ${run.status}`;
  return failed
    .map((task) => `${task.name} (attempt ${task.attempt + 1}): ${task.errorMessage ?? 'no message'}`)
    .join('\n');
}
