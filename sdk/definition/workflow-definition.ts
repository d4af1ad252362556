import type { Context } from '../context/context.ts';
import type { StandardSchema } from '../schema/standard-schema.ts';
import type { TaskFn } from './task-options.ts';
import type { TaskDefaults, TaskSettings, WorkflowSettings } from './task-settings.ts';

/** A task's function once its input type is no longer known. */
export interface Body {
  run(input: unknown, ctx: Context): unknown;
}

/** One task of a workflow. */
export interface StepDefinition {
  readonly name: string;
  /** Names of the steps that must have completed. */
  readonly parents: readonly string[];
  readonly settings: TaskSettings;
  /** Absent where another program runs the task: it is registered, but not offered by this worker. */
  readonly body: Body | undefined;
  readonly outputSchema: StandardSchema | undefined;
}

/** A workflow as it was declared, without its types. Steps are added until a worker registers it. */
export interface WorkflowDefinition {
  readonly name: string;
  readonly settings: WorkflowSettings;
  readonly taskDefaults: TaskDefaults;
  readonly inputSchema: StandardSchema | undefined;
  readonly steps: StepDefinition[];
  onFailure: StepDefinition | undefined;
  onSuccess: StepDefinition | undefined;
}

export const onFailureName = 'on-failure-task';
export const onSuccessName = 'on-success-task';

interface TypedBody<Input> {
  run(input: Input, ctx: Context<Input>): unknown;
}

/**
 * Forgets the input's type. Invariant: the worker calls a body only with an input that the workflow's schema made,
 * or, without a schema, with what the caller's types promised.
 */
export function toBody<Input>(fn: TaskFn<Input, unknown> | undefined): Body | undefined {
  if (fn === undefined) return undefined;
  const body: TypedBody<Input> = { run: (input, ctx) => fn(input, ctx) };
  return body;
}
