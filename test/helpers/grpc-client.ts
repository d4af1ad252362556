import { credentials, Metadata, type CallOptions, type ServiceError } from '@grpc/grpc-js';
import { AdminServiceClient } from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { V1DispatcherClient } from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import { DispatcherClient } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { EventsServiceClient } from '../../proto/gen/hatchet/contract/events.ts';
import { WorkflowServiceClient } from '../../proto/gen/hatchet/contract/workflows.ts';
import { TraceServiceClient } from '../../proto/gen/opentelemetry/proto/collector/trace/v1/trace_service.ts';
import { MonitorServiceClient } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';

/** The last overload of a generated client's method, which is the one that inference sees. */
type Unary<Req, Res> = (
  request: Req,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Res) => void,
) => unknown;

/** Bare clients of every service, and a promise form of their unary calls. */
export class GrpcClients {
  readonly admin: AdminServiceClient;
  readonly dispatcher: DispatcherClient;
  readonly durable: V1DispatcherClient;
  readonly events: EventsServiceClient;
  readonly workflows: WorkflowServiceClient;
  readonly monitor: MonitorServiceClient;
  readonly traces: TraceServiceClient;
  readonly #token: string;

  constructor(address: { host: string; port: number }, token: string) {
    const target = `${address.host}:${address.port}`;
    const options = {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 500,
    };
    const insecure = credentials.createInsecure();
    this.admin = new AdminServiceClient(target, insecure, options);
    this.dispatcher = new DispatcherClient(target, insecure, options);
    this.durable = new V1DispatcherClient(target, insecure, options);
    this.events = new EventsServiceClient(target, insecure, options);
    this.workflows = new WorkflowServiceClient(target, insecure, options);
    this.monitor = new MonitorServiceClient(target, insecure, options);
    this.traces = new TraceServiceClient(target, insecure, options);
    this.#token = token;
  }

  metadata(extra: Record<string, string> = {}): Metadata {
    const metadata = new Metadata();
    metadata.set('authorization', `bearer ${this.#token}`);
    for (const [key, value] of Object.entries(extra)) metadata.set(key, value);
    return metadata;
  }

  /** `call(clients.admin, clients.admin.putWorkflow, request)` */
  call<Req, Res>(
    client: object,
    method: Unary<Req, Res>,
    request: Req,
    extra: Record<string, string> = {},
  ): Promise<Res> {
    return new Promise((resolve, reject) => {
      method.call(client, request, this.metadata(extra), {}, (error, response) =>
        error === null ? resolve(response) : reject(error),
      );
    });
  }

  close(): void {
    for (const client of [
      this.admin,
      this.dispatcher,
      this.durable,
      this.events,
      this.workflows,
      this.monitor,
      this.traces,
    ])
      client.close();
  }
}
