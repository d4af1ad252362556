import type { BatchContext } from '../context/batch-context.ts';
import { replaceInput, type Context } from '../context/context.ts';
import type { DurableContext } from '../context/durable-context.ts';
import type { EvictionPolicy } from '../durable/eviction-policy.ts';
import type { IsolatedStep } from '../isolation/definition/isolated-step.ts';
import type { StandardSchema } from '../schema/standard-schema.ts';
import { around, type Layer } from './middleware.ts';
import type { BatchTaskFn, BroadcastTaskFn, DurableTaskFn, TaskFn } from './task-options.ts';
import type { BatchTaskConfig, TaskDefaults, TaskSettings, WorkflowSettings } from './task-settings.ts';

/** A task's function once its input type is no longer known. */
export interface Body {
  run(input: unknown, ctx: Context): unknown;
}

/** A batch task's function once its types are no longer known. */
export interface BatchBody {
  run(inputs: Record<string, unknown>, ctx: BatchContext): unknown;
}

/** A durable task's function once its types are no longer known. */
export interface DurableBody {
  run(input: unknown, ctx: DurableContext): unknown;
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
  /** For a task whose function runs apart from its worker. */
  readonly isolation?: IsolatedStep | undefined;
  /** For a task that runs in batches: how they are gathered, their function in place of `body`, and the middleware of each run. */
  readonly batch?:
    | { readonly config: BatchTaskConfig; readonly body: BatchBody | undefined; readonly layers: readonly Layer[] }
    | undefined;
  /** For a durable task: when it leaves its worker, and its function in place of `body`. */
  readonly durable?: { readonly evictionPolicy: EvictionPolicy; readonly body: DurableBody | undefined } | undefined;
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
export function toBody<Input>(fn: TaskFn<Input, unknown> | undefined, layers: readonly Layer[] = []): Body | undefined {
  if (fn === undefined) return undefined;
  const body: TypedBody<Input> = { run: (input, ctx) => fn(input, ctx) };
  return around<Context>(layers, body, replaceInput);
}

interface TypedBatchBody<Input> {
  run(inputs: Record<string, Input>, ctx: BatchContext<Input>): unknown;
}

/** Forgets the input's type, as `toBody` does. */
export function toBatchBody<Input>(
  fn: BatchTaskFn<Input, unknown> | BroadcastTaskFn<Input, unknown> | undefined,
): BatchBody | undefined {
  if (fn === undefined) return undefined;
  const body: TypedBatchBody<Input> = { run: (inputs, ctx) => fn(inputs, ctx) };
  return body;
}

interface TypedDurableBody<Input> {
  run(input: Input, ctx: DurableContext<Input>): unknown;
}

/** Forgets the input's type, as `toBody` does. */
export function toDurableBody<Input>(
  fn: DurableTaskFn<Input, unknown> | undefined,
  layers: readonly Layer[] = [],
): DurableBody | undefined {
  if (fn === undefined) return undefined;
  const body: TypedDurableBody<Input> = { run: (input, ctx) => fn(input, ctx) };
  return around<DurableContext>(
    layers.filter(({ durable }) => durable),
    body,
    replaceInput,
  );
}
