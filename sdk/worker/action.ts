import type { Layer } from '../definition/middleware.ts';
import type { BatchTaskConfig } from '../definition/task-settings.ts';
import type { BatchBody, Body, DurableBody } from '../definition/workflow-definition.ts';
import type { IsolatedStep } from '../isolation/definition/isolated-step.ts';
import type { EvictionPolicy } from '../durable/eviction-policy.ts';
import type { StandardSchema } from '../schema/standard-schema.ts';

interface Schemas {
  /** The workflow's name as its definition has it: the engine knows it in lower case, behind the namespace. */
  readonly workflowName: string;
  readonly inputSchema: StandardSchema | undefined;
  readonly outputSchema: StandardSchema | undefined;
}

export interface TaskAction extends Schemas {
  readonly body: Body;
  /** Where the body runs elsewhere than in this thread. */
  readonly isolation?: IsolatedStep | undefined;
}

export interface BatchAction extends Schemas {
  readonly batch: { readonly config: BatchTaskConfig; readonly body: BatchBody; readonly layers: readonly Layer[] };
}

export interface DurableAction extends Schemas {
  /** `versionId`: of the workflow as this worker has registered it; empty where the engine does not say. */
  readonly durable: {
    readonly body: DurableBody;
    readonly evictionPolicy: EvictionPolicy;
    readonly executionTimeoutMs: number;
    readonly versionId: string;
    /** Its workflow, where it is the only task of that. */
    readonly standsFor: string | undefined;
  };
}

/** A step that this worker can run. */
export type Action = TaskAction | BatchAction | DurableAction;
