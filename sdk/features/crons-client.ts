import { applyNamespace } from '../config/client-config.ts';
import type { Connection } from '../connection/connection.ts';
import { callRest } from '../connection/rest.ts';
import type { Priority } from '../run/run-options.ts';
import { HatchetError } from '../errors.ts';
import {
  idOf,
  nameOf,
  ofKnownWorkflow,
  type ResourceMetadata,
  type ResourceRef,
  type WorkflowRef,
} from './resource.ts';

export interface CreateCron {
  /** Unique among the workflow's crons. */
  name: string;
  /** Five fields, or six with seconds first. */
  expression: string;
  input?: object | undefined;
  additionalMetadata?: Readonly<Record<string, string>> | undefined;
  priority?: Priority | undefined;
  /** IANA name. A Hatchet cluster has none: it is refused there. @default 'UTC' */
  timezone?: string | undefined;
  /** What becomes of ticks that were missed. A Hatchet cluster has no such choice: it is refused there. @default 'none' */
  catchUp?: 'none' | 'last' | 'all' | undefined;
}

export interface Cron {
  metadata: ResourceMetadata;
  workflowId: string;
  workflowName: string;
  cron: string;
  name?: string;
  enabled: boolean;
  input?: object;
  additionalMetadata?: object;
  priority?: number;
}

/** Runs that come again and again. */
export class CronsClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @throws HatchetError INVALID_ARGUMENT for a bad expression or a taken name, UNKNOWN_WORKFLOW, NOT_SUPPORTED */
  async create(workflow: WorkflowRef, cron: CreateCron): Promise<Cron> {
    const { config, offers } = this.#connection;
    const { name, expression, input = {}, additionalMetadata = {}, priority, timezone, catchUp } = cron;
    const beyond = [
      ...(timezone === undefined || timezone === 'UTC' ? [] : ['timezone']),
      ...(catchUp === undefined || catchUp === 'none' ? [] : ['catchUp']),
    ];
    if (beyond.length > 0 && (await offers.ask().catch(() => undefined))?.definitions === false) {
      throw new HatchetError(
        'NOT_SUPPORTED',
        `this engine has no ${beyond.join(' and no ')} of crons: it would leave ${beyond.length === 1 ? 'it' : 'them'} out of ${name}`,
        { remedy: 'Write the expression in UTC, and let its task look for what was missed' },
      );
    }
    const target = encodeURIComponent(applyNamespace(nameOf(workflow), config.namespace).toLowerCase());
    const body = { cronName: name, cronExpression: expression, input, additionalMetadata, priority, timezone, catchUp };
    return await ofKnownWorkflow(
      workflow,
      callRest<Cron>(config, 'POST', `/api/v1/tenants/${config.tenantId}/workflows/${target}/crons`, {
        body,
        notFound: 'UNKNOWN_WORKFLOW',
      }),
    );
  }

  /** @throws HatchetError */
  async list(
    query: { workflowId?: string; cronName?: string; limit?: number; offset?: number } = {},
  ): Promise<{ rows?: Cron[] }> {
    return callRest(this.#connection.config, 'GET', this.#path(''), { query });
  }

  /** @throws HatchetError UNKNOWN_RUN */
  async get(cron: ResourceRef): Promise<Cron> {
    return callRest<Cron>(this.#connection.config, 'GET', this.#path(`/${encodeURIComponent(idOf(cron))}`));
  }

  /** Switches it on or off. @throws HatchetError UNKNOWN_RUN */
  async update(cron: ResourceRef, change: { enabled: boolean }): Promise<void> {
    await callRest(this.#connection.config, 'PATCH', this.#path(`/${encodeURIComponent(idOf(cron))}`), {
      body: change,
    });
  }

  /** @throws HatchetError UNKNOWN_RUN */
  async delete(cron: ResourceRef): Promise<void> {
    await callRest(this.#connection.config, 'DELETE', this.#path(`/${encodeURIComponent(idOf(cron))}`));
  }

  #path(rest: string): string {
    return `/api/v1/tenants/${this.#connection.config.tenantId}/workflows/crons${rest}`;
  }
}
