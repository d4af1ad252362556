import { asError } from '../errors.ts';
import { asTask, currentParentRun } from './parent-run.ts';
import { TaskPromise } from './task-promise.ts';

/**
 * A task may begin something, do something else, and only then wait for the first: should that have failed meanwhile, the
 * task gets the error when it comes to it. Without this, Node would end the worker at once. Where it never comes to it, the
 * failure goes to its log. Outside of tasks a promise is what it always is.
 */
export function notAwaitedYet<Result>(promise: Promise<Result>): Promise<Result> {
  const task = currentParentRun();
  if (task === undefined) return promise;
  const begun =
    promise instanceof TaskPromise && !promise.isHeeded
      ? promise
      : new TaskPromise<Result>((resolve, reject) => void promise.then(resolve, reject));
  begun.onRejected((reason) => task.forgotten?.failed(begun, reason));
  return begun;
}

/** How a context begins what it is asked for: as its own task, which is the one that makes the context, whoever asks. */
export function beginsAsItsTask(): <Result>(operation: () => Promise<Result>) => Promise<Result> {
  const task = currentParentRun();
  return (operation) => asTask(task, () => notAwaitedYet(begun(operation)));
}

/** What is refused at once is refused by the promise. */
function begun<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return operation();
  } catch (error) {
    return Promise.reject(asError(error));
  }
}
