import { type ServerDuplexStream, type ServerWritableStream, status } from '@grpc/grpc-js';
import { HatchetError } from '../errors.ts';
import type { Identity } from '../auth/tokens.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { WorkerMessage } from '../dispatch/worker-session.ts';
import { parseDuration } from '../model/duration.ts';
import { reportedError, reportedOutput } from '../model/payload.ts';
import { newId, parseUuid } from '../model/uuid.ts';
import { toldError } from '../model/split-error.ts';
import type { RunResults, TaskResult } from '../monitor/run-results.ts';
import type { Owner } from '../shard/owner.ts';
import {
  ActionType,
  type AssignedAction,
  type DispatcherServer,
  DispatcherService,
  SDKS,
  type StepActionEvent,
  StepActionEventType,
  type SubscribeToWorkflowRunsRequest,
  type WorkerLabels,
  type WorkerListenRequest,
  type WorkerRegisterRequest,
  type WorkflowRunEvent,
  WorkflowRunEventType,
} from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { readRunDetail } from '../monitor/run-detail.ts';
import type { LogStreamDeps } from './log-stream.ts';
import { streamRun } from './run-stream.ts';
import { reportBatch, retryAfter } from './batch-report-request.ts';
import { bearer, serverStream, unary, unsupported, type Edge } from './handlers.ts';
import type { GrpcService } from './server.ts';
import { toServiceError } from './status.ts';
import { wireVersion } from './wire-version.ts';

/** SDKs fetch results over this size by REST: their own message limit is 4 MiB. */
const longestResults = 3 * 1024 * 1024;
const defaultSlots = 100;
const mostActions = 10_000;

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
      const detail = id === undefined ? undefined : await readRunDetail(deps.pool, tenantId, id);
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

function labelValues(labels: Readonly<Record<string, WorkerLabels>>): Record<string, string | number> {
  const values: Record<string, string | number> = {};
  for (const [key, label] of Object.entries(labels)) {
    const value = label.strValue ?? label.intValue;
    if (value !== undefined) values[key.replaceAll('\0', '')] = typeof value === 'string' ? value.replaceAll('\0', '') : value;
  }
  return values;
}

async function register(deps: DispatcherDeps, request: WorkerRegisterRequest, caller: Identity): Promise<{ tenantId: string; workerId: string; workerName: string }> {
  if (request.actions.length > mostActions) throw new HatchetError('INVALID_ARGUMENT', `the worker names ${request.actions.length} actions`, { remedy: `Keep to ${mostActions}.` });
  const name = request.workerName.replaceAll('\0', '').slice(0, 255);
  const slots = Object.keys(request.slotConfig).length > 0 ? request.slotConfig : { default: request.slots ?? defaultSlots };
  const bad = Object.entries(slots).find(([, total]) => total < 0);
  if (bad !== undefined) throw new HatchetError('INVALID_ARGUMENT', `the worker offers ${bad[1]} ${bad[0]} slots`, { remedy: 'Offer none or more.' });
  const { runtimeInfo } = request;
  const runtime: Record<string, string> = {};
  if (runtimeInfo?.sdkVersion !== undefined) runtime['sdkVersion'] = runtimeInfo.sdkVersion;
  if (runtimeInfo?.language !== undefined) runtime['language'] = Object.entries(SDKS).find(([, value]) => value === runtimeInfo.language)?.[0] ?? 'UNKNOWN';
  if (runtimeInfo?.languageVersion !== undefined) runtime['languageVersion'] = runtimeInfo.languageVersion;
  if (runtimeInfo?.os !== undefined) runtime['os'] = runtimeInfo.os;
  const workerId = newId();
  await deps.owner.submit(caller.tenantId, {
    kind: 'registerWorker',
    tenantId: caller.tenantId,
    workerId,
    name,
    actions: [...new Set(request.actions.map((action) => action.toLowerCase()))],
    slots,
    labels: labelValues(request.labels),
    runtime,
  });
  return { tenantId: caller.tenantId, workerId, workerName: name };
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
  const waits = new Map<string, () => void>();
  const stopAll = (): void => {
    for (const stop of waits.values()) stop();
    waits.clear();
  };
  call.on('cancelled', stopAll);
  call.on('error', stopAll);
  call.on('end', () => {
    stopAll();
    call.end();
  });
  // Listening before the first await: a request that comes meanwhile would be lost.
  const early: SubscribeToWorkflowRunsRequest[] = [];
  let subscribe = (request: SubscribeToWorkflowRunsRequest): void => void early.push(request);
  call.on('data', (request: SubscribeToWorkflowRunsRequest) => subscribe(request));
  try {
    const { tenantId } = await deps.tokens.authenticate(bearer(call.metadata));
    subscribe = ({ workflowRunId }) => {
      const runId = parseUuid(workflowRunId);
      if (runId === undefined || call.cancelled) return;
      waits.get(runId)?.();
      const stop = deps.results.wait(tenantId, runId, (results) => {
        waits.delete(runId);
        call.write(runFinished(workflowRunId, results));
      });
      waits.set(runId, stop);
    };
    for (const request of early) subscribe(request);
  } catch (error) {
    call.emit('error', toServiceError(error, deps.log));
  }
}

function runFinished(runId: string, results: readonly TaskResult[]): WorkflowRunEvent {
  const size = results.reduce((sum, result) => sum + (result.output?.length ?? 0) + (result.error?.length ?? 0), 0);
  return {
    workflowRunId: runId,
    eventType: WorkflowRunEventType.WORKFLOW_RUN_EVENT_TYPE_FINISHED,
    eventTimestamp: new Date(),
    results: (size > longestResults ? [] : results).map((result) => ({
      taskRunExternalId: result.taskId,
      taskName: result.stepName,
      jobRunId: result.taskId,
      error: result.error === null ? (result.output === null ? '' : undefined) : toldError(result.error),
      output: result.output ?? undefined,
    })),
  };
}
