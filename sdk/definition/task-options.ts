import type { Context } from '../context/context.ts';
import type { TaskRef } from '../run/run-target.ts';
import type { SchemaInput, SchemaOutput, StandardSchema } from '../schema/standard-schema.ts';
import type { TaskDefaults, TaskSettings, WorkflowSettings } from './task-settings.ts';

/** What a task does: it gets the input and its context, and gives its output. */
export type TaskFn<Input, Result> = (input: Input, ctx: Context<Input>) => Result | Promise<Result>;

/** What `hatchet.task` takes. */
export interface TaskOptions<RawInput, Input, Result> extends WorkflowSettings, TaskSettings {
  name: string;
  /** Checks the input, at the caller and at the worker, and gives it its type. Any Standard Schema (zod, valibot, arktype). */
  input?: StandardSchema<RawInput, Input> | undefined;
  /** Same as `input`, the official SDK's name. */
  inputValidator?: StandardSchema<RawInput, Input> | undefined;
  fn?: TaskFn<Input, Result> | undefined;
  // A workflow's and a task's concurrency are the same thing where the workflow has one task.
  concurrency?: TaskSettings['concurrency'];
}

/** The same with a schema for the output: `fn` gives what the schema takes, callers get what the schema makes of it. */
export type CheckedTaskOptions<RawInput, Input, Schema extends StandardSchema> = Omit<TaskOptions<RawInput, Input, SchemaInput<Schema>>, 'output'> & {
  /** Checks the output at the worker. Any Standard Schema. */
  output: Schema;
};

/** The type that callers see for an output schema. */
export type CheckedOutput<Schema extends StandardSchema> = SchemaOutput<Schema>;

/** What `hatchet.workflow` takes. */
export interface WorkflowOptions<RawInput, Input> extends WorkflowSettings {
  name: string;
  /** Checks the input, at the caller and at the worker, and gives it its type. Any Standard Schema (zod, valibot, arktype). */
  input?: StandardSchema<RawInput, Input> | undefined;
  /** Same as `input`, the official SDK's name. */
  inputValidator?: StandardSchema<RawInput, Input> | undefined;
  taskDefaults?: TaskDefaults | undefined;
}

/** What `workflow.task` takes. */
export interface WorkflowTaskOptions<Name extends string, Input, Result> extends TaskSettings {
  name: Name;
  /** Tasks that must have completed. Their outputs are read with `ctx.parentOutput`. */
  parents?: readonly TaskRef<unknown>[] | undefined;
  fn?: TaskFn<Input, Result> | undefined;
}

export type CheckedWorkflowTaskOptions<Name extends string, Input, Schema extends StandardSchema> = WorkflowTaskOptions<Name, Input, SchemaInput<Schema>> & {
  /** Checks the output at the worker. Any Standard Schema. */
  output: Schema;
};

/** What `workflow.onFailure` and `workflow.onSuccess` take. */
export interface HookOptions<Input, Result> extends TaskSettings {
  fn: TaskFn<Input, Result>;
}
