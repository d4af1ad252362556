import { HatchetError, IdempotencyCollisionError, RunCancelledError, RunFailedError } from '../errors.ts';
import { toldFailure } from '../failure/parse-failure.ts';
import { EntryFailure, type DurableChild } from './durable-child.ts';
import { WorkflowRunRef, type RunRefActions } from './run-ref.ts';
import type { RunTarget } from './run-target.ts';

/** A reference whose result comes from the log of the durable task that spawned the run. */
export function durableChildRef<Output>(
  child: DurableChild,
  target: RunTarget<never, Output> | RunTarget<unknown, Output> | string,
  facts: { actions: RunRefActions; parentWorkflowRunId: string },
): WorkflowRunRef<Output> {
  const name = typeof target === 'string' ? target : target.name;
  const lone = typeof target === 'string' || target.standaloneTaskName !== undefined ? undefined : target.loneTaskName;
  const actions: RunRefActions = {
    ...facts.actions,
    result: async () => {
      const json = await recorded(child, name);
      return JSON.parse(lone === undefined ? json : `{${JSON.stringify(lone)}:${json}}`);
    },
  };
  return new WorkflowRunRef<Output>(child.runId, actions, { parentWorkflowRunId: facts.parentWorkflowRunId });
}

/** @throws RunFailedError, RunCancelledError, IdempotencyCollisionError as for any run; of our engine the log has no more than the message */
async function recorded({ runId, output }: DurableChild, name: string): Promise<string> {
  try {
    const json = await output;
    return json === '' ? 'null' : json;
  } catch (error) {
    if (error instanceof HatchetError || !(error instanceof EntryFailure)) throw error;
    if (error.cancelled) throw new RunCancelledError(runId, [name]);
    if (error.heldBy !== undefined) throw new IdempotencyCollisionError(error.heldBy);
    throw new RunFailedError(runId, [{ taskName: name, taskRunExternalId: runId, ...toldFailure(error.message) }]);
  }
}
