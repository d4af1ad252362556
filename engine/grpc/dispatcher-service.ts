import { type ServerDuplexStream, type ServerWritableStream, status } from '@grpc/grpc-js';
import { HatchetError } from '../errors.ts';
import type { Identity } from '../auth/tokens.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { WorkerMessage } from '../dispatch/worker-session.ts';
import { parseDuration } from '../model/duration.ts';
import { reportedError, reportedOutput } from '../model/payload.ts';
import { newId, parseUuid } from '../model/uuid.ts';
import type { RunResults } from '../monitor/run-results.ts';
import type { Owner } from '../shard/owner.ts';
import {
  ActionType,
  type AssignedAction,
  type DispatcherServer,
  DispatcherService,
  type StepActionEvent,
  StepActionEventType,
  type SubscribeToWorkflowRunsRequest,
  type WorkerListenRequest,
  type WorkerRegisterRequest,
  type WorkflowRunEvent,
} from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { noPayloads, readRunDetail } from '../monitor/run-detail.ts';
import type { LogStreamDeps } from './log-stream.ts';
import { streamRun } from './run-stream.ts';
import { RunSubscription } from './run-subscription.ts';
import { reportBatch, retryAfter } from './batch-report-request.ts';
import { bearer, serverStream, unary, unsupported, type Edge } from './handlers.ts';
import type { GrpcService } from './server.ts';
import { toServiceError } from './status.ts';
import { wireVersion } from './wire-version.ts';
import { labelValues, readWorker } from './worker-request.ts';


export interface DispatcherDeps extends Edge, LogStreamDeps {
  owner: Owner;
  dispatcher: Dispatcher;
  results: RunResults;
}

export function dispatcherService(deps: DispatcherDeps): GrpcService {
  const { owner } = deps;
  const implementation: DispatcherServer = {
    getVersion: (_call, callback) => callback(null, { version: wireVersion }),
    register: unary(deps, (request, caller) => register(deps, request, caller)),
    listen: (call) => void listen(deps, call),
    listenV2: (call) => void listen(deps, call),
    heartbeat: unary(deps, async (request, caller) => {
      deps.dispatcher.heartbeat(caller.tenantId, request.workerId);
      return {};
    }),
    unsubscribe: unary(deps, async (request, caller) => {
      await owner.submit(caller.tenantId, { kind: 'unsubscribe', tenantId: caller.tenantId, workerId: request.workerId });
      return { tenantId: caller.tenantId, workerId: request.workerId };
    }),
    upsertWorkerLabels: unary(deps, async (request, caller) => {
      await owner.submit(caller.tenantId, { kind: 'updateWorker', tenantId: caller.tenantId, workerId: request.workerId, labels: labelValues(request.labels) });
      return { tenantId: caller.tenantId, workerId: request.workerId };
    }),
    sendStepActionEvent: unary(deps, async (request, caller) => {
      await report(owner, request, caller);
      return { tenantId: caller.tenantId, workerId: request.workerId };
    }),
    refreshTimeout: unary(deps, async (request, caller) => {
      const incrementMs = parseDuration(request.incrementTimeoutBy);
      if (incrementMs === undefined) throw new HatchetError('INVALID_ARGUMENT', `${JSON.stringify(request.incrementTimeoutBy)} is not a duration`, { remedy: 'Write it like 500ms, 90s or 1h30m.' });
      const reply = await owner.submit(caller.tenantId, { kind: 'refreshTimeout', tenantId: caller.tenantId, taskId: request.taskRunExternalId, incrementMs });
      return { timeoutAt: new Date(reply.timeoutAtUs / 1000) };
    }),
    releaseSlot: unary(deps, async (request, caller) => {
      await owner.submit(caller.tenantId, { kind: 'releaseSlot', tenantId: caller.tenantId, taskId: request.taskRunExternalId });
      return {};
    }),
    subscribeToWorkflowRuns: (call) => void subscribeToRuns(deps, call),
    subscribeToWorkflowEvents: serverStream(deps, async (call, { tenantId }, signal) => {
      const given = call.request.workflowRunId ?? '';
      if (given === '') throw new HatchetError('INVALID_ARGUMENT', 'the subscription names no run', { remedy: 'Subscribe by workflow_run_id.' });
      const id = parseUuid(given);
      const detail = id === undefined ? undefined : await readRunDetail(deps.pool, tenantId, id, noPayloads);
      if (detail === undefined) throw new HatchetError('UNKNOWN_RUN', `there is no run ${JSON.stringify(given)}`, { remedy: 'Check the id.' });
      await streamRun(deps, { call, tenantId, detail, signal });
    }),
    sendBatchActionEvent: unary(deps, async (request, caller) => {
      await reportBatch(owner, request, caller);
      return { tenantId: caller.tenantId, workerId: request.workerId };
    }),
    sendGroupKeyActionEvent: unsupported(deps, 'SendGroupKeyActionEvent'),
    putOverridesData: unary(deps, async () => ({})),
    restoreEvictedTask: unary(deps, async (request, { tenantId }) => owner.submit(tenantId, { kind: 'durableRestore', tenantId, taskId: request.taskRunExternalId })),
  };
  return { definition: DispatcherService, implementation };
}

async function register(deps: DispatcherDeps, request: WorkerRegisterRequest, { tenantId }: Identity): Promise<{ tenantId: string; workerId: string; workerName: string }> {
  const facts = readWorker(request);
  const workerId = newId();
  await deps.owner.submit(tenantId, { kind: 'registerWorker', tenantId, workerId, ...facts });
  return { tenantId, workerId, workerName: facts.name };
}

async function listen(deps: DispatcherDeps, call: ServerWritableStream<WorkerListenRequest, AssignedAction>): Promise<void> {
  try {
    const caller = await deps.tokens.authenticate(bearer(call.metadata));
    if (call.cancelled) return;
    const detach = deps.dispatcher.attach(caller.tenantId, call.request.workerId, {
      send: (message) => call.write(assignedAction(message)),
      // Ended with OK, clients would reconnect at once, over and over.
      close: () => call.emit('error', Object.assign(new Error('the engine is stopping'), { code: status.UNAVAILABLE, details: 'the engine is stopping; reconnect' })),
    });
    call.once('cancelled', detach);
    call.once('close', detach);
  } catch (error) {
    call.emit('error', toServiceError(error, deps.log));
  }
}

function assignedAction(message: WorkerMessage): AssignedAction {
  const start = message.kind === 'cancel' ? undefined : message;
  return {
    tenantId: message.tenantId,
    workflowRunId: message.runId,
    getGroupKeyRunId: '',
    jobId: '',
    jobName: message.stepName,
    jobRunId: message.taskId,
    taskId: message.taskId,
    taskRunExternalId: message.taskId,
    actionId: message.action,
    actionType: actionTypes[message.kind],
    actionPayload: start?.payload ?? '',
    taskName: message.stepName,
    retryCount: message.attempt,
    durableTaskInvocationCount: message.invocation ?? undefined,
    additionalMetadata: start?.metadata ?? '{}',
    priority: start?.priority ?? 1,
    workflowId: start?.workflowId,
    workflowVersionId: start?.versionId,
    parentWorkflowRunId: start?.child?.parentTaskId,
    childWorkflowIndex: start?.child?.index ?? undefined,
    childWorkflowKey: start?.child?.key ?? undefined,
    ...(message.kind === 'startBatch' ? batchFields(message) : triggeringEvent(start?.metadata)),
  };
}

const actionTypes = { start: ActionType.START_STEP_RUN, startBatch: ActionType.START_BATCH, cancel: ActionType.CANCEL_STEP_RUN } as const;

function batchFields({ batch, size }: WorkerMessage & { kind: 'startBatch' }): Partial<AssignedAction> {
  return { batchId: batch.id, batchKey: batch.key, batchSize: size, batchStartPayload: { triggerReason: batch.reason, triggerTime: new Date(batch.atUs / 1000), expectedSize: size } };
}

/** A run that an event started carries it in its metadata. */
function triggeringEvent(metadata: string | undefined): { triggeringEventExternalId?: string; triggeringEventKey?: string } {
  if (metadata === undefined || !metadata.includes('"hatchet__event_id"')) return {};
  const given: { hatchet__event_id?: unknown; hatchet__event_key?: unknown } = Object(JSON.parse(metadata));
  const { hatchet__event_id: id, hatchet__event_key: key } = given;
  return typeof id === 'string' && typeof key === 'string' ? { triggeringEventExternalId: id, triggeringEventKey: key } : {};
}

/** A report names its attempt; whatever it says, it is acknowledged: the SDK would only repeat it. */
async function report(owner: Owner, event: StepActionEvent, caller: Identity): Promise<void> {
  const taskId = parseUuid(event.taskRunExternalId);
  if (taskId === undefined) throw new HatchetError('INVALID_ARGUMENT', `${JSON.stringify(event.taskRunExternalId)} is not a task run's id`);
  const { tenantId } = caller;
  const ref = { tenantId, taskId, attempt: event.retryCount ?? 0 };
  switch (event.eventType) {
    case StepActionEventType.STEP_EVENT_TYPE_STARTED:
      return owner.submit(tenantId, { kind: 'started', ...ref });
    case StepActionEventType.STEP_EVENT_TYPE_COMPLETED: {
      const reported = reportedOutput(event.eventPayload);
      if (reported.ok) return owner.submit(tenantId, { kind: 'completed', ...ref, output: reported.output });
      return owner.submit(tenantId, { kind: 'failed', ...ref, error: reported.error, mayRetry: event.shouldNotRetry !== true });
    }
    case StepActionEventType.STEP_EVENT_TYPE_FAILED:
      return owner.submit(tenantId, { kind: 'failed', ...ref, error: reportedError(event.eventPayload), mayRetry: event.shouldNotRetry !== true, retryAfterMs: retryAfter(event) });
    case StepActionEventType.STEP_EVENT_TYPE_ACKNOWLEDGED:
    case StepActionEventType.STEP_EVENT_TYPE_CANCELLED:
    case StepActionEventType.STEP_EVENT_TYPE_UNKNOWN:
      return undefined;
  }
}

async function subscribeToRuns(deps: DispatcherDeps, call: ServerDuplexStream<SubscribeToWorkflowRunsRequest, WorkflowRunEvent>): Promise<void> {
  let subscription: RunSubscription | undefined;
  const stop = (): void => subscription?.stop();
  call.on('cancelled', stop);
  call.on('error', stop);
  call.on('end', () => {
    stop();
    call.end();
  });
  // Listening before the first await: a request that comes meanwhile would be lost.
  const early: string[] = [];
  let subscribe = (runId: string): void => void early.push(runId);
  call.on('data', (request: SubscribeToWorkflowRunsRequest) => subscribe(request.workflowRunId));
  try {
    const { tenantId } = await deps.tokens.authenticate(bearer(call.metadata));
    const own = new RunSubscription(deps.results, { tenantId, call });
    subscription = own;
    subscribe = (runId) => own.add(runId);
    for (const runId of early) own.add(runId);
  } catch (error) {
    call.emit('error', toServiceError(error, deps.log));
  }
}
