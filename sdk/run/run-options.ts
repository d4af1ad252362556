import type { WorkerLabelComparator } from '../../proto/gen/hatchet/contract/v1/trigger.ts';
import type { EnumInput } from '../enum-value.ts';

/** Priorities of runs: higher ones are started first. */
export const Priority = { LOW: 1, MEDIUM: 2, HIGH: 3 } as const;
export type Priority = (typeof Priority)[keyof typeof Priority];

/** A label that the worker should, or must, have. */
export interface DesiredWorkerLabel {
  value: string | number;
  /** Without such a worker the task waits. @default false */
  required?: boolean | undefined;
  /** How much it counts among the labels that are not required. @default 100 */
  weight?: number | undefined;
  /** A value or its name. @default 'EQUAL' */
  comparator?: EnumInput<typeof WorkerLabelComparator> | undefined;
}

export type DesiredWorkerLabels = Readonly<Record<string, DesiredWorkerLabel>>;

/** Options of one run. */
export interface RunOptions {
  /** Shown with the run, inherited by its children, and a filter in lists. */
  additionalMetadata?: Readonly<Record<string, string>> | undefined;
  /** @default the workflow's `defaultPriority`, else 1 */
  priority?: Priority | undefined;
  /** From inside a task: run the child on the parent's worker; the child's workflow must be sticky. */
  sticky?: boolean | undefined;
  /** From inside a task: the child's identity under its parent; asked again, the same child is returned. */
  childKey?: string | undefined;
  /** With several inputs: give failed runs as Error values in the result instead of throwing the first. @default false */
  returnExceptions?: boolean | undefined;
  /** Labels of the worker that shall run it. */
  desiredWorkerLabels?: DesiredWorkerLabels | undefined;
}

/** One of many runs. */
export interface RunManyItem<Input> {
  input: Input;
  opts?: RunOptions | undefined;
}
