import type { BatchContext } from '../context/batch-context.ts';
import type { Context } from '../context/context.ts';
import type { DurableContext } from '../context/durable-context.ts';
import type { EvictionPolicy } from '../durable/eviction-policy.ts';
import type { IsolatedTaskSettings } from '../isolation/definition/isolation.ts';
import type { JsonOf } from '../json-of.ts';
import type { TaskRef } from '../run/run-target.ts';
import type { SchemaInput, SchemaOutput, StandardSchema } from '../schema/standard-schema.ts';
import type { BatchTaskConfig, TaskDefaults, TaskSettings, WorkflowSettings } from './task-settings.ts';

/** Of durable tasks, whose waits would hold a runner for days and whose log is the worker's, and of batch tasks, whose runs share one call. */
interface NeverIsolated {
  /** Not for this kind of task: have it start a task with `isolation` as its child. */
  isolation?: never;
}

/** What a task does: it gets the input and its context, and gives its output. */
export type TaskFn<Input, Result> = (input: Input, ctx: Context<Input>) => Result | Promise<Result>;

/** What `hatchet.task` takes. */
export interface TaskOptions<RawInput, Input, Result, Given = Input>
  extends WorkflowSettings<NoInfer<RawInput>>, TaskSettings, IsolatedTaskSettings {
  name: string;
  /** Checks the input, at the caller and at the worker, and gives it its type. Any Standard Schema (zod, valibot, arktype). */
  input?: StandardSchema<RawInput, Input> | undefined;
  /** Same as `input`, the official SDK's name. */
  inputValidator?: StandardSchema<RawInput, Input> | undefined;
  /** `Given`: the input with what middleware adds. */
  fn?: TaskFn<Given, Result> | undefined;
  // A workflow's and a task's concurrency are the same thing where the workflow has one task.
  concurrency?: TaskSettings['concurrency'];
}

/** The same with a schema for the output: `fn` gives what the schema takes, callers get what the schema makes of it. */
export type CheckedTaskOptions<RawInput, Input, Schema extends StandardSchema, Given = Input> = Omit<
  TaskOptions<RawInput, Input, SchemaInput<Schema>, Given>,
  'output'
> & {
  /** Checks the output at the worker. Any Standard Schema. */
  output: Schema;
};

/** The type that callers see for an output schema. */
export type CheckedOutput<Schema extends StandardSchema> = JsonOf<SchemaOutput<Schema>>;

/** What `hatchet.workflow` takes. */
export interface WorkflowOptions<RawInput, Input> extends WorkflowSettings<NoInfer<RawInput>> {
  name: string;
  /** Checks the input, at the caller and at the worker, and gives it its type. Any Standard Schema (zod, valibot, arktype). */
  input?: StandardSchema<RawInput, Input> | undefined;
  /** Same as `input`, the official SDK's name. */
  inputValidator?: StandardSchema<RawInput, Input> | undefined;
  taskDefaults?: TaskDefaults | undefined;
}

/** What `workflow.task` takes. */
export interface WorkflowTaskOptions<Name extends string, Input, Result> extends TaskSettings, IsolatedTaskSettings {
  name: Name;
  /** Tasks that must have completed. Their outputs are read with `ctx.parentOutput`. */
  parents?: readonly TaskRef<unknown>[] | undefined;
  fn?: TaskFn<Input, Result> | undefined;
}

export type CheckedWorkflowTaskOptions<Name extends string, Input, Schema extends StandardSchema> = WorkflowTaskOptions<
  Name,
  Input,
  SchemaInput<Schema>
> & {
  /** Checks the output at the worker. Any Standard Schema. */
  output: Schema;
};

/** Outputs by the ids of the batch's runs, of all of them. An error fails its run alone. */
export type BatchResults<Result> = Record<string, Result | Error>;

/** What a batch task does: it gets the inputs by the ids of their runs, and gives an output for each. */
export type BatchTaskFn<Input, Result> = (
  inputs: Record<string, Input>,
  ctx: BatchContext<Input>,
) => BatchResults<Result> | Promise<BatchResults<Result>>;

/** What a batch task with `broadcastOutput` does: its output is that of every run. */
export type BroadcastTaskFn<Input, Result> = (
  inputs: Record<string, Input>,
  ctx: BatchContext<Input>,
) => Result | Promise<Result>;

/** What `hatchet.batchTask` takes. */
export interface BatchTaskOptions<RawInput, Input, Result, Given = Input>
  extends Omit<TaskOptions<RawInput, Input, Result>, 'fn' | 'isolation'>, NeverIsolated {
  batch: BatchTaskConfig & { broadcastOutput?: false | undefined };
  /** Checks each run's output at the worker. Any Standard Schema. */
  output?: StandardSchema<Result> | undefined;
  fn?: BatchTaskFn<Given, Result> | undefined;
}

/** The same with one output for all runs. */
export interface BroadcastTaskOptions<RawInput, Input, Result, Given = Input>
  extends Omit<TaskOptions<RawInput, Input, Result>, 'fn' | 'isolation'>, NeverIsolated {
  batch: BatchTaskConfig & { broadcastOutput: true };
  /** Checks the output at the worker. Any Standard Schema. */
  output?: StandardSchema<Result> | undefined;
  fn?: BroadcastTaskFn<Given, Result> | undefined;
}

/** What `workflow.batchTask` takes. */
export interface WorkflowBatchTaskOptions<Name extends string, Input, Result>
  extends Omit<WorkflowTaskOptions<Name, Input, Result>, 'fn' | 'isolation'>, NeverIsolated {
  batch: BatchTaskConfig & { broadcastOutput?: false | undefined };
  /** Checks each run's output at the worker. Any Standard Schema. */
  output?: StandardSchema<Result> | undefined;
  fn?: BatchTaskFn<Input, Result> | undefined;
}

/** The same with one output for all runs. */
export interface WorkflowBroadcastTaskOptions<Name extends string, Input, Result>
  extends Omit<WorkflowTaskOptions<Name, Input, Result>, 'fn' | 'isolation'>, NeverIsolated {
  batch: BatchTaskConfig & { broadcastOutput: true };
  /** Checks the output at the worker. Any Standard Schema. */
  output?: StandardSchema<Result> | undefined;
  fn?: BroadcastTaskFn<Input, Result> | undefined;
}

/** What a durable task does. It may be run again from its start, and goes on where it was: see the guide on durable tasks. */
export type DurableTaskFn<Input, Result> = (input: Input, ctx: DurableContext<Input>) => Result | Promise<Result>;

interface DurableSettings<Input, Result> {
  fn?: DurableTaskFn<Input, Result> | undefined;
  /** When it leaves its worker while it waits. @default after 15 minutes, or half of its executionTimeout, or when others need its slot */
  evictionPolicy?: EvictionPolicy | undefined;
}

/** What `hatchet.durableTask` takes. Its `executionTimeout` is for one stay on a worker: an evicted task gets it anew. */
export interface DurableTaskOptions<RawInput, Input, Result, Given = Input>
  extends
    Omit<TaskOptions<RawInput, Input, Result>, 'fn' | 'isolation'>,
    NeverIsolated,
    DurableSettings<Given, Result> {}

/** The same with a schema for the output. */
export type CheckedDurableTaskOptions<RawInput, Input, Schema extends StandardSchema, Given = Input> = Omit<
  DurableTaskOptions<RawInput, Input, SchemaInput<Schema>, Given>,
  'output'
> & {
  /** Checks the output at the worker. Any Standard Schema. */
  output: Schema;
};

/** What `workflow.durableTask` takes. */
export interface WorkflowDurableTaskOptions<Name extends string, Input, Result>
  extends
    Omit<WorkflowTaskOptions<Name, Input, Result>, 'fn' | 'isolation'>,
    NeverIsolated,
    DurableSettings<Input, Result> {}

export type CheckedWorkflowDurableTaskOptions<
  Name extends string,
  Input,
  Schema extends StandardSchema,
> = WorkflowDurableTaskOptions<Name, Input, SchemaInput<Schema>> & {
  /** Checks the output at the worker. Any Standard Schema. */
  output: Schema;
};

/** What `workflow.onFailure` and `workflow.onSuccess` take. */
export interface HookOptions<Input, Result> extends TaskSettings, IsolatedTaskSettings {
  fn: TaskFn<Input, Result>;
}
