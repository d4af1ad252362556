import { applyNamespace } from '../config/client-config.ts';
import type { Connection } from '../connection/connection.ts';
import { callRest } from '../connection/rest.ts';
import { durationToMs, type Duration } from '../duration.ts';
import { HatchetError } from '../errors.ts';
import { nameOf, type ResourceMetadata, type WorkflowRef } from './resource.ts';

/** A workflow as the engine has it registered. */
export interface RegisteredWorkflow {
  metadata: ResourceMetadata;
  name: string;
  description?: string;
  isPaused?: boolean;
}

/** What becomes of that which is due while a workflow is paused. */
export interface PauseOptions {
  /** Ticks of its crons: `queue` makes runs that wait, `drop` makes none. @default 'queue' */
  crons?: 'queue' | 'drop' | undefined;
  /** The same for its scheduled runs; one that is dropped is not made later either. @default 'queue' */
  scheduled?: 'queue' | 'drop' | undefined;
  /** A task that has been queued for longer is cancelled. @default '365d' */
  queueTtl?: Duration | undefined;
}

/** A cluster takes a pause only with all of these. */
function pauseBody({ crons = 'queue', scheduled = 'queue', queueTtl }: PauseOptions): Record<string, string> {
  return {
    action: 'pause',
    pausedWorkflowCronRunQueueBehavior: crons.toUpperCase(),
    pausedWorkflowScheduledRunQueueBehavior: scheduled.toUpperCase(),
    pausedWorkflowQueueTTL: queueTtl === undefined ? '365d' : `${Math.ceil(durationToMs(queueTtl) / 1000)}s`,
  };
}

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

  /** Its queued tasks wait from now on; those that run finish. @throws HatchetError UNKNOWN_WORKFLOW, INVALID_DURATION */
  async pause(workflow: WorkflowRef, options: PauseOptions = {}): Promise<RegisteredWorkflow> {
    return this.#change(workflow, pauseBody(options));
  }

  /** @throws HatchetError UNKNOWN_WORKFLOW */
  async unpause(workflow: WorkflowRef): Promise<RegisteredWorkflow> {
    return this.#change(workflow, { action: 'unpause' });
  }

  /**
   * Its name is unknown from now on: its timers and filters are deleted, events start it no more, and what is queued of it is cancelled.
   * Runs that have begun go on. A worker that registers it again brings it back.
   * @throws HatchetError UNKNOWN_WORKFLOW
   */
  async delete(workflow: WorkflowRef): Promise<void> {
    const { metadata } = await this.get(workflow);
    await callRest(this.#connection.config, 'DELETE', `/api/v1/workflows/${metadata.id}`);
  }

  async #change(workflow: WorkflowRef, pause: Record<string, string>): Promise<RegisteredWorkflow> {
    const { metadata } = await this.get(workflow);
    return callRest<RegisteredWorkflow>(this.#connection.config, 'PATCH', `/api/v1/workflows/${metadata.id}`, {
      body: { pause },
    });
  }
}
