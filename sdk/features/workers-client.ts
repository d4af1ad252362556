import type { Connection } from '../connection/connection.ts';
import { callRest } from '../connection/rest.ts';
import { idOf, type ResourceMetadata, type ResourceRef } from './resource.ts';

/** A worker as the engine sees it. */
export interface RegisteredWorker {
  metadata: ResourceMetadata;
  name: string;
  status?: 'ACTIVE' | 'INACTIVE' | 'PAUSED';
  lastHeartbeatAt?: string;
  actions?: string[];
  registeredWorkflows?: { id: string; name: string }[];
  /** By slot type. */
  slotConfig?: Record<string, { limit: number; available?: number }>;
  labels?: { key: string; value?: string }[];
  runtimeInfo?: { sdkVersion?: string; language?: string; languageVersion?: string; os?: string };
}

/** Workers. `hatchet.workers`. */
export class WorkersClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Those that were heard of within a minute. @throws HatchetError */
  async list(): Promise<{ rows?: RegisteredWorker[] }> {
    const { config } = this.#connection;
    return callRest(config, 'GET', `/api/v1/tenants/${config.tenantId}/worker`);
  }

  /** @throws HatchetError UNKNOWN_RUN */
  async get(worker: ResourceRef): Promise<RegisteredWorker> {
    return callRest<RegisteredWorker>(this.#connection.config, 'GET', path(worker));
  }

  /** @throws HatchetError UNKNOWN_RUN */
  async isPaused(worker: ResourceRef): Promise<boolean> {
    return (await this.get(worker)).status === 'PAUSED';
  }

  /** It takes no new tasks from now on; those that run finish. @throws HatchetError UNKNOWN_RUN */
  async pause(worker: ResourceRef): Promise<RegisteredWorker> {
    return callRest<RegisteredWorker>(this.#connection.config, 'PATCH', path(worker), { body: { isPaused: true } });
  }

  /** @throws HatchetError UNKNOWN_RUN */
  async unpause(worker: ResourceRef): Promise<RegisteredWorker> {
    return callRest<RegisteredWorker>(this.#connection.config, 'PATCH', path(worker), { body: { isPaused: false } });
  }
}

function path(worker: ResourceRef): string {
  return `/api/v1/workers/${encodeURIComponent(idOf(worker))}`;
}
