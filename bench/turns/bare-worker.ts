/** A worker of bare calls, for as many slots as a benchmark wants. */
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { credentials, Metadata } from '@grpc/grpc-js';
import {
  ActionType,
  DispatcherClient,
  StepActionEventType,
  type AssignedAction,
  type WorkerRegisterRequest,
} from '../../proto/gen/hatchet/contract/dispatcher.ts';

/** As workers of the SDK do. */
const heartbeatMs = 4_000;
const reconnectMs = 50;

export class BareWorker {
  readonly #client: DispatcherClient;
  readonly #metadata = new Metadata();
  readonly #onStart: (action: AssignedAction) => void;
  #stream: ClientReadableStream<AssignedAction> | undefined;
  #beats: NodeJS.Timeout | undefined;
  #closed = false;
  workerId = '';

  constructor(options: { address: string; token: string; onStart: (action: AssignedAction) => void }) {
    this.#client = new DispatcherClient(options.address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': reconnectMs,
      'grpc.max_reconnect_backoff_ms': reconnectMs,
    });
    this.#metadata.set('authorization', `bearer ${options.token}`);
    this.#onStart = options.onStart;
  }

  async start(actions: string[], slots: number, labels: WorkerRegisterRequest['labels'] = {}): Promise<void> {
    const reply = await new Promise<{ workerId: string }>((resolve, reject) =>
      this.#client.register(
        { workerName: 'bare', actions, services: [], labels, slotConfig: { default: slots } },
        this.#metadata,
        (error, answer) => (error === null ? resolve(answer) : reject(error)),
      ),
    );
    this.workerId = reply.workerId;
    this.#listen();
    await this.heartbeat();
    this.#beats = setInterval(() => void this.heartbeat().catch(() => undefined), heartbeatMs);
  }

  heartbeat(timeoutMs = 30_000): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#client.heartbeat(
        { workerId: this.workerId, heartbeatAt: new Date() },
        this.#metadata,
        { deadline: Date.now() + timeoutMs },
        (error) => (error === null ? resolve() : reject(error)),
      ),
    );
  }

  complete(action: AssignedAction): Promise<void> {
    const { jobId, jobRunId, taskId, taskRunExternalId, actionId, retryCount } = action;
    const event = {
      workerId: this.workerId,
      jobId,
      jobRunId,
      taskId,
      taskRunExternalId,
      actionId,
      retryCount,
      eventTimestamp: new Date(),
      eventType: StepActionEventType.STEP_EVENT_TYPE_COMPLETED,
      eventPayload: '{}',
    };
    return new Promise((resolve, reject) =>
      this.#client.sendStepActionEvent(event, this.#metadata, (error: ServiceError | null) =>
        error === null ? resolve() : reject(error),
      ),
    );
  }

  /** Without a word to the engine, as a machine that vanishes. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#beats);
    this.#stream?.cancel();
    this.#client.close();
  }

  #listen(): void {
    const stream = this.#client.listenV2({ workerId: this.workerId }, this.#metadata);
    this.#stream = stream;
    stream.on('data', (action: AssignedAction) => {
      if (action.actionType === ActionType.START_STEP_RUN) this.#onStart(action);
    });
    let again = false;
    const reconnect = (): void => {
      if (again || this.#closed) return;
      again = true;
      setTimeout(() => this.#closed || this.#listen(), reconnectMs);
    };
    stream.on('error', reconnect);
    stream.on('end', reconnect);
  }
}
