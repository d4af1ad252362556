/** What a benchmark calls as a tenant. */
import { credentials, Metadata } from '@grpc/grpc-js';
import { AdminServiceClient, type CreateTaskOpts } from '../proto/gen/hatchet/contract/v1/workflows.ts';
import { WorkflowServiceClient } from '../proto/gen/hatchet/contract/workflows.ts';
import { MonitorServiceClient } from '../proto/gen/hatchet/monitor/v1/monitor.ts';

export class TenantClient {
  readonly #metadata = new Metadata();
  readonly #admin: AdminServiceClient;
  readonly #workflows: WorkflowServiceClient;
  readonly #monitor: MonitorServiceClient;

  constructor(address: string, token: string) {
    this.#metadata.set('authorization', `bearer ${token}`);
    const options = { 'grpc.max_send_message_length': -1, 'grpc.use_local_subchannel_pool': 1 };
    this.#admin = new AdminServiceClient(address, credentials.createInsecure(), options);
    this.#workflows = new WorkflowServiceClient(address, credentials.createInsecure(), options);
    this.#monitor = new MonitorServiceClient(address, credentials.createInsecure(), options);
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

  watch(): () => void {
    const call = this.#monitor.streamQueues({}, this.#metadata);
    call.on('data', () => undefined);
    call.on('error', () => undefined);
    return () => call.cancel();
  }

  close(): void {
    for (const client of [this.#admin, this.#workflows, this.#monitor]) client.close();
  }
}
