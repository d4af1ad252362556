import type { ClientReadableStream } from '@grpc/grpc-js';
import { ActionType, StepActionEventType, type AssignedAction } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import type { CreateTaskOpts, CreateWorkflowVersionRequest } from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import type { GrpcClients } from './grpc-client.ts';

export function taskRequest(readableId: string, options: Partial<CreateTaskOpts> = {}): CreateTaskOpts {
  return {
    readableId,
    action: `wf:${readableId}`,
    timeout: '60s',
    inputs: '{}',
    parents: [],
    retries: 0,
    rateLimits: [],
    workerLabels: {},
    concurrency: [],
    isDurable: false,
    slotRequests: {},
    ...options,
  };
}

export function workflowRequest(
  name: string,
  tasks: CreateTaskOpts[],
  options: Partial<CreateWorkflowVersionRequest> = {},
): CreateWorkflowVersionRequest {
  return {
    name,
    description: '',
    version: '',
    eventTriggers: [],
    cronTriggers: [],
    tasks,
    concurrencyArr: [],
    defaultFilters: [],
    ...options,
  };
}

export type Outcome = { output: unknown } | { error: string; mayRetry?: boolean } | 'hold';

/** How a worker meets what it is sent: `mute` says nothing at all, as one whose event loop is blocked. */
export type Manner = 'answers' | 'mute';

/** A worker made of bare contract calls: does what the handler says with each start, and remembers all that it received. */
export class ContractWorker {
  readonly received: AssignedAction[] = [];
  readonly #clients: GrpcClients;
  readonly #handle: (action: AssignedAction) => Outcome | Promise<Outcome>;
  #stream: ClientReadableStream<AssignedAction> | undefined;
  workerId = '';
  manner: Manner = 'answers';

  constructor(clients: GrpcClients, handle: (action: AssignedAction) => Outcome | Promise<Outcome>) {
    this.#clients = clients;
    this.#handle = handle;
  }

  async start(actions: string[], slots = 100, others: Record<string, number> = {}): Promise<void> {
    const { dispatcher } = this.#clients;
    const reply = await this.#clients.call(dispatcher, dispatcher.register, {
      workerName: 'contract',
      actions,
      services: [],
      labels: {},
      slotConfig: { default: slots, ...others },
    });
    this.workerId = reply.workerId;
    this.listen();
  }

  listen(): void {
    const stream = this.#clients.dispatcher.listenV2({ workerId: this.workerId }, this.#clients.metadata());
    stream.on('error', () => undefined);
    stream.on('data', (action: AssignedAction) => {
      this.received.push(action);
      if (action.actionType === ActionType.START_STEP_RUN && this.manner === 'answers') void this.#run(action);
    });
    this.#stream = stream;
  }

  hangUp(): void {
    this.#stream?.cancel();
  }

  report(
    action: AssignedAction,
    eventType: StepActionEventType,
    eventPayload: string,
    shouldNotRetry = false,
  ): Promise<unknown> {
    const { dispatcher } = this.#clients;
    const { jobId, jobRunId, taskId, taskRunExternalId, actionId, retryCount } = action;
    return this.#clients.call(dispatcher, dispatcher.sendStepActionEvent, {
      workerId: 'contract',
      jobId,
      jobRunId,
      taskId,
      taskRunExternalId,
      actionId,
      retryCount,
      eventTimestamp: new Date(),
      eventType,
      eventPayload,
      shouldNotRetry,
    });
  }

  async #run(action: AssignedAction): Promise<void> {
    await this.report(action, StepActionEventType.STEP_EVENT_TYPE_STARTED, '');
    const outcome = await this.#handle(action);
    if (outcome === 'hold') return;
    if ('output' in outcome)
      await this.report(action, StepActionEventType.STEP_EVENT_TYPE_COMPLETED, JSON.stringify(outcome.output));
    else
      await this.report(
        action,
        StepActionEventType.STEP_EVENT_TYPE_FAILED,
        JSON.stringify({ message: outcome.error, stack: '' }),
        outcome.mayRetry === false,
      );
  }
}
