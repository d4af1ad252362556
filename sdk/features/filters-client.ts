import type { Connection } from '../connection/connection.ts';
import { callRest } from '../connection/rest.ts';
import { idOf, type ResourceMetadata, type ResourceRef } from './resource.ts';

export interface CreateFilter {
  /** The workflow's id: `(await hatchet.workflows.get(name)).metadata.id`. */
  workflowId: string;
  /** Of the events that it is for. */
  scope: string;
  /** CEL over `input`, `payload`, `additional_metadata`, `event_key` and `event_id`. */
  expression: string;
  /** What the run finds in `ctx.filterPayload()`. */
  payload?: object | undefined;
}

export interface Filter extends CreateFilter {
  metadata: ResourceMetadata;
  tenantId: string;
  /** It came with its workflow's registration, and comes back with the next one. */
  isDeclarative?: boolean;
}

/** Which events start a workflow: with filters, only those that one of them lets through. */
export class FiltersClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @throws HatchetError INVALID_ARGUMENT, UNKNOWN_WORKFLOW */
  async create(filter: CreateFilter): Promise<Filter> {
    const { config, offers } = this.#connection;
    // A cluster keeps a filter of whatever id.
    if (!(await offers.ask().catch(() => undefined))?.unknownWorkflows)
      await callRest(config, 'GET', `/api/v1/workflows/${encodeURIComponent(filter.workflowId)}`, {
        notFound: 'UNKNOWN_WORKFLOW',
      });
    return callRest<Filter>(config, 'POST', this.#path(''), { body: filter, notFound: 'UNKNOWN_WORKFLOW' });
  }

  /** @throws HatchetError */
  async list(
    query: { workflowIds?: readonly string[]; scopes?: readonly string[]; limit?: number; offset?: number } = {},
  ): Promise<{ rows?: Filter[] }> {
    return callRest(this.#connection.config, 'GET', this.#path(''), { query });
  }

  /** @throws HatchetError UNKNOWN_RUN */
  async get(filter: ResourceRef): Promise<Filter> {
    return callRest<Filter>(this.#connection.config, 'GET', this.#path(`/${encodeURIComponent(idOf(filter))}`));
  }

  /** @throws HatchetError UNKNOWN_RUN, INVALID_ARGUMENT */
  async update(filter: ResourceRef, change: Partial<Omit<CreateFilter, 'workflowId'>>): Promise<Filter> {
    return callRest<Filter>(this.#connection.config, 'PATCH', this.#path(`/${encodeURIComponent(idOf(filter))}`), {
      body: change,
    });
  }

  /** @throws HatchetError UNKNOWN_RUN */
  async delete(filter: ResourceRef): Promise<Filter> {
    return callRest<Filter>(this.#connection.config, 'DELETE', this.#path(`/${encodeURIComponent(idOf(filter))}`));
  }

  #path(rest: string): string {
    return `/api/v1/stable/tenants/${this.#connection.config.tenantId}/filters${rest}`;
  }
}
