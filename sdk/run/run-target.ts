import type { StandardSchema } from '../schema/standard-schema.ts';

/** These two carry types only: no value has these properties, and the names do not exist at run time. */
export declare const outputOf: unique symbol;
export declare const inputOf: unique symbol;

/** Names a task and carries the type of its output, for `parents` and `ctx.parentOutput`. */
export interface TaskRef<Output> {
  readonly name: string;
  readonly [outputOf]?: Output;
}

/** What can be run: a task or a workflow. */
export interface RunTarget<Input, Output> extends TaskRef<Output> {
  readonly [inputOf]?: Input;
  /** The step whose output is the run's output; absent for a workflow, whose output is `{step: output}`. */
  readonly standaloneTaskName: string | undefined;
  readonly inputSchema: StandardSchema | undefined;
  /** The only task of a workflow that has no other: a durable task's log has its bare output. */
  readonly loneTaskName?: string | undefined;
}
