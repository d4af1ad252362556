import type { RunTarget } from '../run/run-target.ts';
import type { ChildRun, ChildRunOptions } from './context.ts';

/** A child to run, of whatever types. */
export interface SomeChildRun {
  workflow: RunTarget<unknown, unknown> | string;
  input: unknown;
  options?: ChildRunOptions | undefined;
}

/** The same list, each with the input that its own target takes. */
export type CheckedChildRuns<Children extends readonly SomeChildRun[]> = {
  [Index in keyof Children]: Children[Index] extends { workflow: RunTarget<infer Input, infer Output> }
    ? ChildRun<Input, Output>
    : SomeChildRun;
};

/** Their outputs, each of its own type; that of a child given by name is unknown. */
export type ChildOutputs<Children extends readonly SomeChildRun[]> = {
  -readonly [Index in keyof Children]:
    | (Children[Index] extends { workflow: RunTarget<unknown, infer Output> } ? Output : unknown)
    | ListedErrors<Children[number]>;
};

/** With `returnExceptions` for one of them, errors are listed for all. */
type ListedErrors<Child extends SomeChildRun> = Child extends { options: { returnExceptions: infer Returned } }
  ? true extends Returned
    ? Error
    : never
  : never;
