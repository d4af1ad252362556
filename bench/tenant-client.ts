/** What a benchmark calls as a tenant. */
import { credentials, Metadata } from '@grpc/grpc-js';
import { AdminServiceClient, type CreateTaskOpts } from '../proto/gen/hatchet/contract/v1/workflows.ts';
import { EventsServiceClient } from '../proto/gen/hatchet/contract/events.ts';
import type { TriggerWorkflowRequest } from '../proto/gen/hatchet/contract/v1/trigger.ts';
import { WorkflowServiceClient, type RateLimitDuration } from '../proto/gen/hatchet/contract/workflows.ts';
import { MonitorServiceClient } from '../proto/gen/hatchet/monitor/v1/monitor.ts';

export class TenantClient {
  readonly #metadata = new Metadata();
  readonly #admin: AdminServiceClient;
  readonly #workflows: WorkflowServiceClient;
  readonly #monitor: MonitorServiceClient;
  readonly #events: EventsServiceClient;

  constructor(address: string, token: string) {
    this.#metadata.set('authorization', `bearer ${token}`);
    const options = {
      'grpc.max_send_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
      // It is back as soon as an engine that is started again.
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 50,
    };
    this.#admin = new AdminServiceClient(address, credentials.createInsecure(), options);
    this.#workflows = new WorkflowServiceClient(address, credentials.createInsecure(), options);
    this.#monitor = new MonitorServiceClient(address, credentials.createInsecure(), options);
    this.#events = new EventsServiceClient(address, credentials.createInsecure(), options);
  }

  putWorkflow(name: string, task: Partial<CreateTaskOpts> = {}): Promise<unknown> {
    const only: CreateTaskOpts = {
      readableId: 'only',
      action: `${name}:only`,
      timeout: '60s',
      inputs: '{}',
      parents: [],
      retries: 0,
      rateLimits: [],
      workerLabels: {},
      concurrency: [],
      isDurable: false,
      slotRequests: {},
      ...task,
    };
    return new Promise((resolve, reject) => {
      this.#admin.putWorkflow(
        {
          name,
          description: '',
          version: '',
          eventTriggers: [],
          cronTriggers: [],
          tasks: [only],
          concurrencyArr: [],
          defaultFilters: [],
        },
        this.#metadata,
        (error, reply) => (error === null ? resolve(reply) : reject(error)),
      );
    });
  }

  trigger(name: string, input = '{}', additionalMetadata = '{}'): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#workflows.triggerWorkflow(
        { name, input, additionalMetadata, desiredWorkerLabels: {} },
        this.#metadata,
        (error, reply) => (error === null ? resolve(reply.workflowRunId) : reject(error)),
      );
    });
  }

  /** At most 1,000 runs. */
  triggerMany(workflows: TriggerWorkflowRequest[]): Promise<string[]> {
    return new Promise((resolve, reject) => {
      this.#workflows.bulkTriggerWorkflow({ workflows }, this.#metadata, (error, reply) =>
        error === null ? resolve(reply.workflowRunIds) : reject(error),
      );
    });
  }

  putRateLimit(key: string, limit: number, duration: RateLimitDuration): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#workflows.putRateLimit({ key, limit, duration }, this.#metadata, (error, reply) =>
        error === null ? resolve(reply) : reject(error),
      );
    });
  }

  pushEvent(key: string, scope?: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#events.push({ key, payload: '{}', eventTimestamp: new Date(), scope }, this.#metadata, (error, reply) =>
        error === null ? resolve(reply) : reject(error),
      );
    });
  }

  watch(): () => void {
    const call = this.#monitor.streamQueues({}, this.#metadata);
    call.on('data', () => undefined);
    call.on('error', () => undefined);
    return () => call.cancel();
  }

  close(): void {
    for (const client of [this.#admin, this.#workflows, this.#monitor, this.#events]) client.close();
  }
}
