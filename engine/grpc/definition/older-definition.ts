import { invalid } from '../../edge/parse/invalid.ts';
import type { CreateTaskOpts, CreateWorkflowVersionRequest } from '../../../proto/gen/hatchet/contract/v1/workflows.ts';
import type {
  CreateWorkflowStepOpts,
  CreateWorkflowVersionOpts,
  WorkflowConcurrencyOpts,
} from '../../../proto/gen/hatchet/contract/workflows.ts';

/**
 * A registration in the contract's older form as one in the newer: the steps of all jobs are tasks. As Hatchet has it, a
 * concurrency by an action of the worker, the times of `scheduled_triggers` and the workflow's kind mean nothing any more.
 * @throws HatchetError INVALID_ARGUMENT
 */
export function newerDefinition(opts: CreateWorkflowVersionOpts | undefined): CreateWorkflowVersionRequest {
  if (opts === undefined) throw invalid('the call has no workflow', 'Send it as `opts`.');
  const { name, description, version, eventTriggers, cronTriggers, cronInput, sticky, defaultPriority } = opts;
  const task = (step: CreateWorkflowStepOpts): CreateTaskOpts => newerTask(step, opts.scheduleTimeout);
  return {
    name,
    description,
    version,
    eventTriggers,
    cronTriggers,
    cronInput,
    sticky,
    defaultPriority,
    tasks: opts.jobs.flatMap((job) => job.steps).map(task),
    onFailureTask: opts.onFailureJob?.steps.slice(0, 1).map(task)[0],
    concurrencyArr: newerConcurrency(opts.concurrency, name),
    defaultFilters: [],
  };
}

function newerTask(step: CreateWorkflowStepOpts, scheduleTimeout: string | undefined): CreateTaskOpts {
  const { readableId, action, timeout, inputs, parents, retries, rateLimits, workerLabels } = step;
  return {
    readableId,
    action,
    timeout,
    inputs,
    parents,
    retries,
    rateLimits,
    workerLabels,
    backoffFactor: step.backoffFactor,
    backoffMaxSeconds: step.backoffMaxSeconds,
    scheduleTimeout,
    concurrency: [],
    isDurable: false,
    slotRequests: {},
  };
}

function newerConcurrency(
  concurrency: WorkflowConcurrencyOpts | undefined,
  workflow: string,
): CreateWorkflowVersionRequest['concurrencyArr'] {
  if (concurrency === undefined || concurrency.action !== undefined) return [];
  const { expression, maxRuns, limitStrategy } = concurrency;
  if (expression === undefined)
    throw invalid(`the concurrency of workflow ${workflow} has no expression`, 'Give a CEL expression.');
  return [{ expression, maxRuns, limitStrategy }];
}
