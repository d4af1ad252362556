import { defaultEvictionPolicy } from '../durable/eviction-policy.ts';
import type {
  CheckedOutput,
  CheckedWorkflowDurableTaskOptions,
  CheckedWorkflowTaskOptions,
  HookOptions,
  TaskFn,
  WorkflowBatchTaskOptions,
  WorkflowBroadcastTaskOptions,
  WorkflowDurableTaskOptions,
  WorkflowOptions,
  WorkflowTaskOptions,
} from '../definition/task-options.ts';
import {
  toLayer,
  type Added,
  type AddedBy,
  type Extended,
  type ExtendedOutput,
  type Layer,
  type NothingAdded,
  type TaskMiddleware,
} from '../definition/middleware.ts';
import {
  onFailureName,
  onSuccessName,
  toBatchBody,
  toBody,
  toDurableBody,
  type Body,
  type StepDefinition,
  type WorkflowDefinition,
} from '../definition/workflow-definition.ts';
import { isolate } from '../isolation/definition/isolate.ts';
import type { IsolatedStep } from '../isolation/definition/isolated-step.ts';
import type { Isolation } from '../isolation/definition/isolation.ts';
import type { CarriableBatchFn, CarriableFn, JsonOf } from '../json-of.ts';
import type { outputOf, TaskRef } from '../run/run-target.ts';
import type { RunStarter } from '../run/run-starter.ts';
import type { SchemaInput, StandardSchema } from '../schema/standard-schema.ts';
import { Declaration } from './declaration.ts';
import type { Starts } from './starts.ts';
import type { TaskDeclaration } from './task.ts';

/** A task of a workflow: name it in the `parents` of others, and read its output with `ctx.parentOutput`. */
export class WorkflowTask<Name extends string, Output> implements TaskRef<Output> {
  declare readonly [outputOf]?: Output;
  readonly name: Name;

  constructor(name: Name) {
    this.name = name;
  }
}

/** What steps are made with. */
interface Origin {
  definition: WorkflowDefinition;
  runner: RunStarter;
  layers: readonly Layer[];
}

/** What a task gives: what the workflow's output type says for its name, else what its function returns. */
type OutputFor<WorkflowOutput, Name extends string, Result> = Name extends keyof WorkflowOutput
  ? WorkflowOutput[Name]
  : JsonOf<Result>;

/** What a task's function may return. */
type ResultFor<WorkflowOutput, Name extends string> = Name extends keyof WorkflowOutput
  ? WorkflowOutput[Name]
  : unknown;

/**
 * Tasks that depend on each other. Add them with `task` before a worker starts. `Output` is what arrives: what JSON makes of
 * `Returned`, the outputs as the tasks' functions give them.
 */
export class WorkflowDeclaration<
  Input,
  Output,
  ParsedInput = Input,
  Returned = Output,
  M extends Added = NothingAdded,
> extends Declaration<Input, Output> {
  readonly #starts: Starts;
  readonly #layers: readonly Layer[];

  constructor(definition: WorkflowDefinition, starts: Starts, layers: readonly Layer[] = []) {
    super(definition, starts);
    this.#starts = starts;
    this.#layers = layers;
  }

  /**
   * The same workflow, with middleware around the tasks that are added by what this gives: `flow.withMiddleware(timed).task(…)`. Its
   * hooks run after the client's.
   * @throws HatchetError INVALID_DEFINITION for a hook that is no function
   */
  withMiddleware<const Middleware extends TaskMiddleware>(
    middleware: Middleware,
  ): WorkflowDeclaration<Input, Output, ParsedInput, Returned, AddedBy<M, Middleware>> {
    return new WorkflowDeclaration<Input, Output, ParsedInput, Returned, AddedBy<M, Middleware>>(
      this.definition,
      this.#starts,
      [...this.#layers, toLayer(middleware)],
    );
  }

  get standaloneTaskName(): undefined {
    return undefined;
  }

  get #origin(): Origin {
    return { definition: this.definition, runner: this.#starts.runner, layers: this.#layers };
  }

  /** Adds a task whose output is checked by a schema. */
  task<Name extends string, Schema extends StandardSchema>(
    options: CheckedWorkflowTaskOptions<Name, Extended<ParsedInput, M['before']>, Schema>,
  ): WorkflowTask<Name, OutputFor<Output, Name, CheckedOutput<Schema>>>;
  /** Adds a task. It starts once its parents have completed; without parents, with the run. */
  task<Name extends string, Result extends ResultFor<Returned, Name>>(
    options: WorkflowTaskOptions<Name, Extended<ParsedInput, M['before']>, Result> & CarriableFn<Result>,
  ): WorkflowTask<Name, OutputFor<Output, Name, ExtendedOutput<Result, M['after']>>>;
  /** Adds a task that also stands alone. */
  task<Result>(task: TaskDeclaration<Input, Result>): WorkflowTask<string, Result>;
  task(
    options:
      | (WorkflowTaskOptions<string, Extended<ParsedInput, M['before']>, unknown> & {
          output?: StandardSchema | undefined;
        })
      | TaskDeclaration<Input, unknown>,
  ): WorkflowTask<string, unknown> {
    this.definition.steps.push(isTask(options) ? options.step : toStep(options, this.#origin));
    return new WorkflowTask(options.name);
  }

  /** Adds a durable task whose output is checked by a schema. */
  durableTask<Name extends string, Schema extends StandardSchema>(
    options: CheckedWorkflowDurableTaskOptions<Name, Extended<ParsedInput, M['durableBefore']>, Schema>,
  ): WorkflowTask<Name, OutputFor<Output, Name, CheckedOutput<Schema>>>;
  /** Adds a durable task: its waits and children are recorded, so that it goes on where it was after whatever ends its worker. */
  durableTask<Name extends string, Result extends ResultFor<Returned, Name>>(
    options: WorkflowDurableTaskOptions<Name, Extended<ParsedInput, M['durableBefore']>, Result> & CarriableFn<Result>,
  ): WorkflowTask<Name, OutputFor<Output, Name, ExtendedOutput<Result, M['durableAfter']>>>;
  durableTask(
    options: WorkflowDurableTaskOptions<string, Extended<ParsedInput, M['durableBefore']>, unknown> & {
      output?: StandardSchema | undefined;
    },
  ): WorkflowTask<string, unknown> {
    const { name, parents = [], fn, evictionPolicy = defaultEvictionPolicy, output, ...settings } = options;
    this.definition.steps.push({
      name,
      parents: parents.map((parent) => parent.name),
      settings,
      body: undefined,
      durable: { evictionPolicy, body: toDurableBody(fn, this.#layers) },
      outputSchema: output,
    });
    return new WorkflowTask(name);
  }

  /** Adds a task that runs in batches, with tasks of other runs, and gives one output for all of them. */
  batchTask<Name extends string, Result extends ResultFor<Returned, Name>>(
    options: WorkflowBroadcastTaskOptions<Name, Extended<ParsedInput, M['before']>, Result> & CarriableFn<Result>,
  ): WorkflowTask<Name, OutputFor<Output, Name, ExtendedOutput<Result, M['after']>>>;
  /** Adds a task that runs in batches, with tasks of other runs: its function gets their inputs by id, and gives an output for each. */
  batchTask<Name extends string, Result extends ResultFor<Returned, Name>>(
    options: WorkflowBatchTaskOptions<Name, Extended<ParsedInput, M['before']>, Result> & CarriableBatchFn<Result>,
  ): WorkflowTask<Name, OutputFor<Output, Name, ExtendedOutput<Result, M['after']>>>;
  batchTask(
    options:
      | WorkflowBatchTaskOptions<string, Extended<ParsedInput, M['before']>, unknown>
      | WorkflowBroadcastTaskOptions<string, Extended<ParsedInput, M['before']>, unknown>,
  ): WorkflowTask<string, unknown> {
    const { name, parents = [], fn, batch, output, ...settings } = options;
    this.definition.steps.push({
      name,
      parents: parents.map((parent) => parent.name),
      settings,
      body: undefined,
      batch: { config: batch, body: toBatchBody(fn), layers: this.#layers },
      outputSchema: output,
    });
    return new WorkflowTask(name);
  }

  /** Sets the task that runs once a task has failed for good. `ctx.errors()` has the errors. */
  onFailure<Result>(
    options:
      | HookOptions<Extended<ParsedInput, M['before']>, Result>
      | TaskFn<Extended<ParsedInput, M['before']>, Result>,
  ): WorkflowTask<typeof onFailureName, JsonOf<ExtendedOutput<Result, M['after']>>> {
    this.definition.onFailure = toHook(onFailureName, options, this.#origin);
    return new WorkflowTask(onFailureName);
  }

  /** Sets the task that runs once all others have completed. It can read the outputs of the last ones. */
  onSuccess<Result>(
    options:
      | HookOptions<Extended<ParsedInput, M['before']>, Result>
      | TaskFn<Extended<ParsedInput, M['before']>, Result>,
  ): WorkflowTask<typeof onSuccessName, JsonOf<ExtendedOutput<Result, M['after']>>> {
    this.definition.onSuccess = toHook(onSuccessName, options, this.#origin);
    return new WorkflowTask(onSuccessName);
  }
}

export function declareWorkflow<RawInput, Input, Output, Returned, M extends Added>(
  options: WorkflowOptions<RawInput, Input>,
  starts: Starts,
  layers: readonly Layer[],
): WorkflowDeclaration<RawInput, Output, Input, Returned, M> {
  const { name, input, inputValidator, taskDefaults = {}, ...settings } = options;
  const definition = {
    name,
    settings,
    taskDefaults,
    inputSchema: input ?? inputValidator,
    steps: [],
    onFailure: undefined,
    onSuccess: undefined,
  };
  return new WorkflowDeclaration<RawInput, Output, Input, Returned, M>(definition, starts, layers);
}

function toStep<Input, Schema extends StandardSchema>(
  options: WorkflowTaskOptions<string, Input, SchemaInput<Schema>> & { output?: StandardSchema | undefined },
  origin: Origin,
): StepDefinition {
  const { name, parents = [], fn, output, isolation, ...settings } = options;
  const body = toBody(fn, origin.layers);
  return {
    name,
    parents: parents.map((parent) => parent.name),
    settings,
    body,
    outputSchema: output,
    isolation: isolateStep(isolation, { name, body, output }, origin),
  };
}

function toHook<Input, Result>(
  name: string,
  hook: HookOptions<Input, Result> | TaskFn<Input, Result>,
  origin: Origin,
): StepDefinition {
  const { fn, isolation, ...settings } = typeof hook === 'function' ? { fn: hook } : hook;
  const body = toBody(fn, origin.layers);
  return {
    name,
    parents: [],
    settings,
    body,
    outputSchema: undefined,
    isolation: isolateStep(isolation, { name, body, output: undefined }, origin),
  };
}

function isolateStep(
  isolation: Isolation | undefined,
  { name, body, output }: { name: string; body: Body | undefined; output: StandardSchema | undefined },
  { definition, runner }: Origin,
): IsolatedStep | undefined {
  return isolate(isolation, {
    workflow: definition.name,
    step: name,
    body,
    inputSchema: definition.inputSchema,
    outputSchema: output,
    runner,
  });
}

function isTask<Input, Result>(
  options: { name: string } | TaskDeclaration<Input, Result>,
): options is TaskDeclaration<Input, Result> {
  return 'step' in options;
}
