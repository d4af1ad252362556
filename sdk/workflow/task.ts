import { defaultEvictionPolicy } from '../durable/eviction-policy.ts';
import type {
  BatchTaskOptions,
  BroadcastTaskOptions,
  DurableTaskOptions,
  TaskOptions,
} from '../definition/task-options.ts';
import type { Layer } from '../definition/middleware.ts';
import { toBatchBody, toBody, toDurableBody, type StepDefinition } from '../definition/workflow-definition.ts';
import { isolate } from '../isolation/definition/isolate.ts';
import type { StandardSchema } from '../schema/standard-schema.ts';
import { Declaration } from './declaration.ts';
import type { Starts } from './starts.ts';

/** A task that stands alone: a workflow of one step, whose output is the run's. */
export class TaskDeclaration<Input, Output> extends Declaration<Input, Output> {
  get standaloneTaskName(): string {
    return this.name;
  }

  /** Its one step, to add it to a workflow. */
  get step(): StepDefinition {
    const [step] = this.definition.steps;
    if (step === undefined) throw new Error(`the task ${this.name} has no step`); // Invariant: declareTask made one.
    return step;
  }
}

/** What a declaration is made by. `Passed` is what its callers pass: the input without what middleware adds. */
interface Origin extends Starts {
  layers: readonly Layer[];
}

/** A batch task that stands alone. */
export function declareBatchTask<RawInput, Input, Given, Result, Passed>(
  options: BatchTaskOptions<RawInput, Input, Result, Given> | BroadcastTaskOptions<RawInput, Input, Result, Given>,
  { layers, ...starts }: Origin,
): TaskDeclaration<Passed, Result> {
  const { name, fn, batch, input, inputValidator, output, concurrency, ...settings } = options;
  const step: StepDefinition = {
    name,
    parents: [],
    settings,
    body: undefined,
    batch: { config: batch, body: toBatchBody<Given>(fn), layers },
    outputSchema: output,
  };
  const definition = {
    name,
    settings: { ...settings, concurrency },
    taskDefaults: {},
    inputSchema: input ?? inputValidator,
    steps: [step],
    onFailure: undefined,
    onSuccess: undefined,
  };
  return new TaskDeclaration<Passed, Result>(definition, starts);
}

/** A durable task that stands alone. */
export function declareDurableTask<RawInput, Input, Given, Result, Passed, Output>(
  options: DurableTaskOptions<RawInput, Input, Result, Given> & {
    output?: StandardSchema<unknown, Output> | undefined;
  },
  { layers, ...starts }: Origin,
): TaskDeclaration<Passed, Output> {
  const {
    name,
    fn,
    evictionPolicy = defaultEvictionPolicy,
    input,
    inputValidator,
    output,
    concurrency,
    ...settings
  } = options;
  const step: StepDefinition = {
    name,
    parents: [],
    settings,
    body: undefined,
    durable: { evictionPolicy, body: toDurableBody(fn, layers) },
    outputSchema: output,
  };
  const definition = {
    name,
    settings: { ...settings, concurrency },
    taskDefaults: {},
    inputSchema: input ?? inputValidator,
    steps: [step],
    onFailure: undefined,
    onSuccess: undefined,
  };
  return new TaskDeclaration<Passed, Output>(definition, starts);
}

export function declareTask<RawInput, Input, Given, Result, Passed, Output>(
  options: TaskOptions<RawInput, Input, Result, Given> & { output?: StandardSchema<unknown, Output> | undefined },
  { layers, ...starts }: Origin,
): TaskDeclaration<Passed, Output> {
  const { name, fn, input, inputValidator, output, concurrency, isolation, ...settings } = options;
  const body = toBody(fn, layers);
  const apart = isolate(isolation, {
    workflow: name,
    step: name,
    body,
    inputSchema: input ?? inputValidator,
    outputSchema: output,
    runner: starts.runner,
  });
  const step: StepDefinition = { name, parents: [], settings, body, outputSchema: output, isolation: apart };
  const definition = {
    name,
    // The workflow of one task holds its place per key until the run has ended, through all retries.
    settings: { ...settings, concurrency },
    taskDefaults: {},
    inputSchema: input ?? inputValidator,
    steps: [step],
    onFailure: undefined,
    onSuccess: undefined,
  };
  return new TaskDeclaration<Passed, Output>(definition, starts);
}
