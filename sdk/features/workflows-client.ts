import { applyNamespace } from '../config/client-config.ts';
import type { Connection } from '../connection/connection.ts';
import { callRest } from '../connection/rest.ts';
import { HatchetError } from '../errors.ts';
import { nameOf, type ResourceMetadata, type WorkflowRef } from './resource.ts';

/** A workflow as the engine has it registered. */
export interface RegisteredWorkflow {
  metadata: ResourceMetadata;
  name: string;
  description?: string;
  isPaused?: boolean;
}

/** A cluster takes a pause only with all of these: what is queued waits, and is cancelled once it has waited for the time of the last. */
const paused = {
  action: 'pause',
  pausedWorkflowCronRunQueueBehavior: 'QUEUE',
  pausedWorkflowScheduledRunQueueBehavior: 'QUEUE',
  pausedWorkflowQueueTTL: '365d',
};

/** Workflows that workers have registered. `hatchet.workflows`. */
export class WorkflowsClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** By name. @throws HatchetError */
  async list(query: { name?: string; limit?: number; offset?: number } = {}): Promise<{ rows?: RegisteredWorkflow[] }> {
    const { config } = this.#connection;
    return callRest(config, 'GET', `/api/v1/tenants/${config.tenantId}/workflows`, { query });
  }

  /** @throws HatchetError UNKNOWN_WORKFLOW */
  async get(workflow: WorkflowRef): Promise<RegisteredWorkflow> {
    const name = applyNamespace(nameOf(workflow), this.#connection.config.namespace).toLowerCase();
    const { rows } = await this.list({ name });
    // A cluster finds parts of names.
    const found = rows?.find((row) => row.name.toLowerCase() === name);
    if (found === undefined)
      throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${JSON.stringify(name)}`, {
        remedy: 'Start a worker that registers it, or check the name',
      });
    return found;
  }

  /** Its queued tasks wait from now on; those that run finish. @throws HatchetError UNKNOWN_WORKFLOW */
  async pause(workflow: WorkflowRef): Promise<RegisteredWorkflow> {
    return this.#setPaused(workflow, 'pause');
  }

  /** @throws HatchetError UNKNOWN_WORKFLOW */
  async unpause(workflow: WorkflowRef): Promise<RegisteredWorkflow> {
    return this.#setPaused(workflow, 'unpause');
  }

  async #setPaused(workflow: WorkflowRef, action: 'pause' | 'unpause'): Promise<RegisteredWorkflow> {
    const { metadata } = await this.get(workflow);
    return callRest<RegisteredWorkflow>(this.#connection.config, 'PATCH', `/api/v1/workflows/${metadata.id}`, {
      body: { pause: action === 'pause' ? paused : { action } },
    });
  }
}
