/**
 * A worker of `hatchet bench` as a process: takes tasks over the plain contract and reports STARTED and COMPLETED as
 * separate calls, with as little of its own as can be, so that the engine is what is measured. It ends with its parent.
 */
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  ActionType,
  DispatcherClient,
  StepActionEventType,
  type AssignedAction,
} from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import { channelCredentials, channelTls } from '../../../sdk/connection/tls-material.ts';
import { nowMs, type WorkerMessage, type WorkerSettings } from './bench-messages.ts';

/** Progress goes to the parent this often: each message costs both sides. */
const flushMs = 2;
const heartbeatMs = 4_000;
const reconnectMs = 500;
const reportTries = 20;
const retryMs = 250;
const output = JSON.stringify({ ok: true });

class BenchWorker {
  readonly #settings: WorkerSettings;
  readonly #client: DispatcherClient;
  readonly #metadata = new Metadata();
  #workerId = '';
  #started: [string, number][] = [];
  #completed: [string, number][] = [];
  #tasks = 0;
  #isFlushDue = false;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
    this.#client = new DispatcherClient(settings.address, channelCredentials(settings.tls), {
      ...channelTls(settings.tls),
      'grpc.keepalive_time_ms': 10_000,
      'grpc.enable_channelz': 0,
    });
    this.#metadata.set('authorization', `bearer ${settings.token}`);
  }

  start(): void {
    const { actions, slots } = this.#settings;
    this.#client.register(
      { workerName: 'hatchet-bench', actions: [...actions], services: [], labels: {}, slotConfig: { default: slots } },
      this.#metadata,
      (error, response) => {
        if (error !== null) {
          say({ type: 'failed', message: error.details });
          return;
        }
        this.#workerId = response.workerId;
        this.#listen();
        this.#heartbeat();
        setInterval(() => this.#heartbeat(), heartbeatMs);
        say({ type: 'ready' });
      },
    );
  }

  #listen(): void {
    const stream = this.#client.listenV2({ workerId: this.#workerId }, this.#metadata);
    stream.on('data', (action: AssignedAction) => this.#take(action));
    stream.on('error', () => setTimeout(() => this.#listen(), reconnectMs));
  }

  #heartbeat(): void {
    this.#client.heartbeat({ workerId: this.#workerId, heartbeatAt: new Date() }, this.#metadata, () => undefined);
  }

  #take(action: AssignedAction): void {
    if (action.actionType !== ActionType.START_STEP_RUN) return;
    const { firstAction, lastAction } = this.#settings;
    if (action.actionId === firstAction && action.retryCount === 0) this.#started.push([action.workflowRunId, nowMs()]);
    this.#report(action, {
      eventType: StepActionEventType.STEP_EVENT_TYPE_STARTED,
      payload: '',
      attempt: 1,
      done: () => undefined,
    });
    this.#report(action, {
      eventType: StepActionEventType.STEP_EVENT_TYPE_COMPLETED,
      payload: output,
      attempt: 1,
      done: () => {
        this.#tasks++;
        if (action.actionId === lastAction) this.#completed.push([action.workflowRunId, nowMs()]);
        this.#later();
      },
    });
    this.#later();
  }

  #report(
    action: AssignedAction,
    report: { eventType: StepActionEventType; payload: string; attempt: number; done: () => void },
  ): void {
    const { eventType, payload, attempt, done } = report;
    this.#client.sendStepActionEvent(
      {
        workerId: this.#workerId,
        jobId: action.jobId,
        jobRunId: action.jobRunId,
        taskId: action.taskId,
        taskRunExternalId: action.taskRunExternalId,
        actionId: action.actionId,
        eventTimestamp: new Date(),
        eventType,
        eventPayload: payload,
        retryCount: action.retryCount,
      },
      this.#metadata,
      (error: ServiceError | null) => {
        if (error === null) done();
        else if (attempt < reportTries)
          setTimeout(() => this.#report(action, { ...report, attempt: attempt + 1 }), retryMs);
      },
    );
  }

  #later(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    setTimeout(() => {
      this.#isFlushDue = false;
      say({ type: 'progress', started: this.#started, completed: this.#completed, tasks: this.#tasks });
      this.#started = [];
      this.#completed = [];
      this.#tasks = 0;
    }, flushMs);
  }

  /** Unsubscribes, so that the engine does not wait for heartbeats that will not come. */
  stop(): void {
    this.#client.unsubscribe({ workerId: this.#workerId }, this.#metadata, () => process.exit(0));
    setTimeout(() => process.exit(0), 2_000);
  }
}

function say(message: WorkerMessage): void {
  process.send?.(message);
}

let worker: BenchWorker | undefined;
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => undefined); // Ctrl+C is the parent's to handle
process.on('message', (message: { settings: WorkerSettings } | 'stop') => {
  if (message === 'stop') {
    worker?.stop();
    return;
  }
  worker = new BenchWorker(message.settings);
  worker.start();
});
