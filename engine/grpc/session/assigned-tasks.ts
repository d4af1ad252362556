import type { WorkerMessage } from '../../dispatch/worker-session.ts';
import type { AssignedTasks, TaskDetails } from '../../../proto/gen/hatchet/session/v1/session.ts';

type Start = WorkerMessage & { kind: 'start' };

/** Whether the task can be told of with the others: they are of one worker, and of one step of a version. */
export function isOfTheSame(tasks: AssignedTasks, workerId: string, start: Start): boolean {
  return (
    tasks.actionId === start.action &&
    tasks.versionId === start.versionId &&
    tasks.workerId === workerId &&
    tasks.stepName === start.stepName &&
    tasks.invocations.length > 0 === (start.invocation !== null)
  );
}

export function assignedTasks(workerId: string, start: Start): AssignedTasks {
  const tasks: AssignedTasks = {
    workerId,
    workflowId: start.workflowId,
    versionId: start.versionId,
    stepName: start.stepName,
    actionId: start.action,
    taskIds: '',
    runIds: '',
    inputs: '',
    inputLengths: [],
    attempts: [],
    priorities: [],
    invocations: [],
    details: [],
  };
  addTask(tasks, start);
  return tasks;
}

/** Adds a task that is of the same. */
export function addTask(tasks: AssignedTasks, start: Start): void {
  const index = tasks.inputLengths.length;
  const { taskId, runId, attempt, priority, invocation, parts } = start;
  if (tasks.runIds !== '' || runId !== taskId) {
    if (tasks.runIds === '') tasks.runIds = tasks.taskIds; // of those before, each was all of its run
    tasks.runIds += runId;
  }
  tasks.taskIds += taskId;
  tasks.inputs += parts.input;
  tasks.inputLengths.push(parts.input.length);
  add(tasks.attempts, index, { value: attempt, usual: 0 });
  add(tasks.priorities, index, { value: priority, usual: 1 });
  if (invocation !== null) tasks.invocations.push(invocation);
  const details = detailsOf(start, index);
  if (details !== undefined) tasks.details.push(details);
}

/** A list is empty until one of its values is another than the usual one. */
function add(list: number[], index: number, { value, usual }: { value: number; usual: number }): void {
  if (list.length === 0 && value === usual) return;
  while (list.length < index) list.push(usual);
  list.push(value);
}

function detailsOf({ metadata, parts, child }: Start, index: number): TaskDetails | undefined {
  const { parents, triggers, errors } = parts;
  if (metadata === '{}' && parents === '{}' && triggers === '{}' && errors === '{}' && child === null) return undefined;
  return {
    index,
    metadata: textOf(metadata),
    parents: textOf(parents),
    triggers: textOf(triggers),
    errors: textOf(errors),
    parentTaskId: child?.parentTaskId,
    childIndex: child?.index ?? undefined,
    childKey: child?.key ?? undefined,
  };
}

function textOf(json: string): string {
  return json === '{}' ? '' : json;
}
