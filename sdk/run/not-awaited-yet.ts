import { currentParentRun } from './parent-run.ts';

/**
 * A task may begin something, do something else, and only then wait for the first: should that have failed meanwhile, the
 * task gets the error when it comes to it. Without this, Node would end the worker at once. Outside of tasks a promise is
 * what it always is.
 */
export function notAwaitedYet<Result>(promise: Promise<Result>): Promise<Result> {
  if (currentParentRun() !== undefined) promise.catch(() => undefined);
  return promise;
}
