import { defaultEvictionPolicy } from '../durable/eviction-policy.ts';
import type { CheckedOutput, CheckedWorkflowDurableTaskOptions, CheckedWorkflowTaskOptions, HookOptions, TaskFn, WorkflowBatchTaskOptions, WorkflowBroadcastTaskOptions, WorkflowDurableTaskOptions, WorkflowOptions, WorkflowTaskOptions } from '../definition/task-options.ts';
import { onFailureName, onSuccessName, toBatchBody, toBody, toDurableBody, type StepDefinition } from '../definition/workflow-definition.ts';
import type { CarriableBatchFn, CarriableFn, JsonOf } from '../json-of.ts';
import type { outputOf, TaskRef } from '../run/run-target.ts';
import type { Runner } from '../run/runner.ts';
import type { SchemaInput, StandardSchema } from '../schema/standard-schema.ts';
import { Declaration } from './declaration.ts';
import type { TaskDeclaration } from './task.ts';

/** A task of a workflow: name it in the `parents` of others, and read its output with `ctx.parentOutput`. */
export class WorkflowTask<Name extends string, Output> implements TaskRef<Output> {
  declare readonly [outputOf]?: Output;
  readonly name: Name;

  constructor(name: Name) {
    this.name = name;
  }
}

/** What a task gives: what the workflow's output type says for its name, else what its function returns. */
type OutputFor<WorkflowOutput, Name extends string, Result> = Name extends keyof WorkflowOutput ? WorkflowOutput[Name] : JsonOf<Result>;

/** What a task's function may return. */
type ResultFor<WorkflowOutput, Name extends string> = Name extends keyof WorkflowOutput ? WorkflowOutput[Name] : unknown;

/**
 * Tasks that depend on each other. Add them with `task` before a worker starts. `Output` is what arrives: what JSON makes of
 * `Returned`, the outputs as the tasks' functions give them.
 */
export class WorkflowDeclaration<Input, Output, ParsedInput = Input, Returned = Output> extends Declaration<Input, Output> {
  get standaloneTaskName(): undefined {
    return undefined;
  }

  /** Adds a task whose output is checked by a schema. */
  task<Name extends string, Schema extends StandardSchema>(options: CheckedWorkflowTaskOptions<Name, ParsedInput, Schema>): WorkflowTask<Name, OutputFor<Output, Name, CheckedOutput<Schema>>>;
  /** Adds a task. It starts once its parents have completed; without parents, with the run. */
  task<Name extends string, Result extends ResultFor<Returned, Name>>(options: WorkflowTaskOptions<Name, ParsedInput, Result> & CarriableFn<Result>): WorkflowTask<Name, OutputFor<Output, Name, Result>>;
  /** Adds a task that also stands alone. */
  task<Result>(task: TaskDeclaration<Input, Result>): WorkflowTask<string, Result>;
  task(options: (WorkflowTaskOptions<string, ParsedInput, unknown> & { output?: StandardSchema | undefined }) | TaskDeclaration<Input, unknown>): WorkflowTask<string, unknown> {
    this.definition.steps.push(isTask(options) ? options.step : toStep(options));
    return new WorkflowTask(options.name);
  }

  /** Adds a durable task whose output is checked by a schema. */
  durableTask<Name extends string, Schema extends StandardSchema>(options: CheckedWorkflowDurableTaskOptions<Name, ParsedInput, Schema>): WorkflowTask<Name, OutputFor<Output, Name, CheckedOutput<Schema>>>;
  /** Adds a durable task: its waits and children are recorded, so that it goes on where it was after whatever ends its worker. */
  durableTask<Name extends string, Result extends ResultFor<Returned, Name>>(options: WorkflowDurableTaskOptions<Name, ParsedInput, Result> & CarriableFn<Result>): WorkflowTask<Name, OutputFor<Output, Name, Result>>;
  durableTask(options: WorkflowDurableTaskOptions<string, ParsedInput, unknown> & { output?: StandardSchema | undefined }): WorkflowTask<string, unknown> {
    const { name, parents = [], fn, evictionPolicy = defaultEvictionPolicy, output, ...settings } = options;
    this.definition.steps.push({ name, parents: parents.map((parent) => parent.name), settings, body: undefined, durable: { evictionPolicy, body: toDurableBody<ParsedInput>(fn) }, outputSchema: output });
    return new WorkflowTask(name);
  }

  /** Adds a task that runs in batches, with tasks of other runs, and gives one output for all of them. */
  batchTask<Name extends string, Result extends ResultFor<Returned, Name>>(options: WorkflowBroadcastTaskOptions<Name, ParsedInput, Result> & CarriableFn<Result>): WorkflowTask<Name, OutputFor<Output, Name, Result>>;
  /** Adds a task that runs in batches, with tasks of other runs: its function gets their inputs by id, and gives an output for each. */
  batchTask<Name extends string, Result extends ResultFor<Returned, Name>>(options: WorkflowBatchTaskOptions<Name, ParsedInput, Result> & CarriableBatchFn<Result>): WorkflowTask<Name, OutputFor<Output, Name, Result>>;
  batchTask(options: WorkflowBatchTaskOptions<string, ParsedInput, unknown> | WorkflowBroadcastTaskOptions<string, ParsedInput, unknown>): WorkflowTask<string, unknown> {
    const { name, parents = [], fn, batch, output, ...settings } = options;
    this.definition.steps.push({ name, parents: parents.map((parent) => parent.name), settings, body: undefined, batch: { config: batch, body: toBatchBody<ParsedInput>(fn) }, outputSchema: output });
    return new WorkflowTask(name);
  }

  /** Sets the task that runs once a task has failed for good. `ctx.errors()` has the errors. */
  onFailure<Result>(options: HookOptions<ParsedInput, Result> | TaskFn<ParsedInput, Result>): WorkflowTask<typeof onFailureName, JsonOf<Result>> {
    this.definition.onFailure = toHook(onFailureName, options);
    return new WorkflowTask(onFailureName);
  }

  /** Sets the task that runs once all others have completed. It can read the outputs of the last ones. */
  onSuccess<Result>(options: HookOptions<ParsedInput, Result> | TaskFn<ParsedInput, Result>): WorkflowTask<typeof onSuccessName, JsonOf<Result>> {
    this.definition.onSuccess = toHook(onSuccessName, options);
    return new WorkflowTask(onSuccessName);
  }
}

export function declareWorkflow<RawInput, Input, Output, Returned>(options: WorkflowOptions<RawInput, Input>, runner: Runner): WorkflowDeclaration<RawInput, Output, Input, Returned> {
  const { name, input, inputValidator, taskDefaults = {}, ...settings } = options;
  const definition = { name, settings, taskDefaults, inputSchema: input ?? inputValidator, steps: [], onFailure: undefined, onSuccess: undefined };
  return new WorkflowDeclaration<RawInput, Output, Input, Returned>(definition, runner);
}

function toStep<Input, Schema extends StandardSchema>(options: WorkflowTaskOptions<string, Input, SchemaInput<Schema>> & { output?: StandardSchema | undefined }): StepDefinition {
  const { name, parents = [], fn, output, ...settings } = options;
  return { name, parents: parents.map((parent) => parent.name), settings, body: toBody(fn), outputSchema: output };
}

function toHook<Input, Result>(name: string, hook: HookOptions<Input, Result> | TaskFn<Input, Result>): StepDefinition {
  const { fn, ...settings } = typeof hook === 'function' ? { fn: hook } : hook;
  return { name, parents: [], settings, body: toBody(fn), outputSchema: undefined };
}

function isTask<Input, Result>(options: { name: string } | TaskDeclaration<Input, Result>): options is TaskDeclaration<Input, Result> {
  return 'step' in options;
}
