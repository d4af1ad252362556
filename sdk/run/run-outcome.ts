import type { StepRunResult } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { RunStatus, type GetRunDetailsResponse } from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { RunCancelledError, RunFailedError } from '../errors.ts';
import { toldFailure } from '../failure/parse-failure.ts';

/** How one task of a run ended. */
export type TaskOutcome = { name: string; id: string } & (
  | { status: 'completed'; output: string }
  | { status: 'failed'; error: string }
  | { status: 'cancelled' }
);

/** The wire gives exactly one of output and error; a cancelled task has neither, or an empty error. */
export function fromResults(results: readonly StepRunResult[]): TaskOutcome[] {
  return results.map(({ taskName: name, taskRunExternalId: id, error, output }) => {
    if (error !== undefined && error !== '') return { name, id, status: 'failed', error };
    return output === undefined || output === ''
      ? { name, id, status: 'cancelled' }
      : { name, id, status: 'completed', output };
  });
}

/** The same from a run's details, which have no size limit; `undefined` while the run goes on. */
export function fromDetails(details: GetRunDetailsResponse): TaskOutcome[] | undefined {
  if (!details.done) return undefined;
  return Object.entries(details.taskRuns).map(([key, task]) => {
    const named = { name: task.readableId === '' ? key : task.readableId, id: task.externalId };
    if (task.status === RunStatus.FAILED) return { ...named, status: 'failed', error: task.error ?? 'the task failed' };
    if (task.status === RunStatus.CANCELLED) return { ...named, status: 'cancelled' };
    return { ...named, status: 'completed', output: Buffer.from(task.output ?? []).toString('utf8') };
  });
}

/**
 * A run's output as JSON: the named step's own, or `{step: output}` where none is named.
 * @throws RunFailedError where a task failed, else RunCancelledError where one was cancelled.
 */
export function outputJson(
  runId: string,
  tasks: readonly TaskOutcome[],
  standaloneTaskName: string | undefined,
): string {
  const failures = tasks.flatMap((task) =>
    task.status === 'failed' ? [{ taskName: task.name, taskRunExternalId: task.id, ...toldFailure(task.error) }] : [],
  );
  if (failures.length > 0) throw new RunFailedError(runId, failures);
  const cancelled = tasks.flatMap((task) => (task.status === 'cancelled' ? [task.name] : []));
  if (cancelled.length > 0) throw new RunCancelledError(runId, cancelled);
  const texts = tasks.map(({ name, ...task }) => ({
    name,
    json: task.status === 'completed' && task.output !== '' ? task.output : '{}',
  }));
  const own = texts.find(({ name }) => name === standaloneTaskName);
  if (standaloneTaskName !== undefined) return own?.json ?? 'null';
  return `{${texts.map(({ name, json }) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
}
