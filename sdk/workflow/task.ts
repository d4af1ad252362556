import { defaultEvictionPolicy } from '../durable/eviction-policy.ts';
import type { BatchTaskOptions, BroadcastTaskOptions, DurableTaskOptions, TaskOptions } from '../definition/task-options.ts';
import { toBatchBody, toBody, toDurableBody, type StepDefinition } from '../definition/workflow-definition.ts';
import type { Runner } from '../run/runner.ts';
import type { StandardSchema } from '../schema/standard-schema.ts';
import { Declaration } from './declaration.ts';

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

/** A batch task that stands alone. */
export function declareBatchTask<RawInput, Input, Result>(options: BatchTaskOptions<RawInput, Input, Result> | BroadcastTaskOptions<RawInput, Input, Result>, runner: Runner): TaskDeclaration<RawInput, Result> {
  const { name, fn, batch, input, inputValidator, output, concurrency, ...settings } = options;
  const step: StepDefinition = { name, parents: [], settings, body: undefined, batch: { config: batch, body: toBatchBody<Input>(fn) }, outputSchema: output };
  const definition = { name, settings: { ...settings, concurrency }, taskDefaults: {}, inputSchema: input ?? inputValidator, steps: [step], onFailure: undefined, onSuccess: undefined };
  return new TaskDeclaration<RawInput, Result>(definition, runner);
}

/** A durable task that stands alone. */
export function declareDurableTask<RawInput, Input, Result, Output>(options: DurableTaskOptions<RawInput, Input, Result> & { output?: StandardSchema<unknown, Output> | undefined }, runner: Runner): TaskDeclaration<RawInput, Output> {
  const { name, fn, evictionPolicy = defaultEvictionPolicy, input, inputValidator, output, concurrency, ...settings } = options;
  const step: StepDefinition = { name, parents: [], settings, body: undefined, durable: { evictionPolicy, body: toDurableBody(fn) }, outputSchema: output };
  const definition = { name, settings: { ...settings, concurrency }, taskDefaults: {}, inputSchema: input ?? inputValidator, steps: [step], onFailure: undefined, onSuccess: undefined };
  return new TaskDeclaration<RawInput, Output>(definition, runner);
}

export function declareTask<RawInput, Input, Result, Output>(options: TaskOptions<RawInput, Input, Result> & { output?: StandardSchema<unknown, Output> | undefined }, runner: Runner): TaskDeclaration<RawInput, Output> {
  const { name, fn, input, inputValidator, output, concurrency, ...settings } = options;
  const step: StepDefinition = { name, parents: [], settings, body: toBody(fn), outputSchema: output };
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
  return new TaskDeclaration<RawInput, Output>(definition, runner);
}
