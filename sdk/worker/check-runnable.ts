import { HatchetError } from '../errors.ts';
import { fieldOf, isList, shown, textFieldOf } from '../failure/safe-reads.ts';
import type { Runnable } from '../workflow/declaration.ts';
import { WorkflowTask } from '../workflow/workflow.ts';

/** @throws HatchetError INVALID_DEFINITION that names what is neither a task nor a workflow, for callers without types */
export function checkRunnables(worker: string, workflows: unknown): asserts workflows is readonly Runnable[] {
  if (!isList(workflows))
    throw new HatchetError('INVALID_DEFINITION', `the workflows of the worker ${worker} are ${described(workflows)}`, {
      remedy: 'Give a list of tasks and workflows',
    });
  for (const [index, workflow] of workflows.entries()) {
    if (isRunnable(workflow)) continue;
    throw new HatchetError(
      'INVALID_DEFINITION',
      `workflows[${index}] of the worker ${worker} is neither a task nor a workflow: it is ${described(workflow)}`,
      { remedy: remedyFor(workflow) },
    );
  }
}

/** By its form: it may come from another copy of this package. */
function isRunnable(value: unknown): boolean {
  return isList(fieldOf(fieldOf(value, 'definition'), 'steps')) && textFieldOf(value, 'name') !== undefined;
}

function described(value: unknown): string {
  if (typeof value === 'function') return `the function ${value.name || 'without a name'}`;
  if (value instanceof WorkflowTask) return `the task ${value.name} of a workflow`;
  return shown(value).slice(0, 200);
}

function remedyFor(value: unknown): string {
  if (value === undefined) return 'Check the import: a module that is imported in a circle has not set its exports yet';
  if (typeof value === 'function') return 'Give what hatchet.task made of it';
  if (value instanceof WorkflowTask) return 'Give the workflow: all of its tasks come with it';
  if (typeof fieldOf(value, 'then') === 'function') return 'Await it first';
  if (fieldOf(fieldOf(value, 'definition'), '_tasks') !== undefined)
    return 'It was declared with the official SDK: declare it with this one';
  return 'Give what hatchet.task, hatchet.durableTask, hatchet.batchTask or hatchet.workflow returned';
}
