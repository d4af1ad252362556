import type { Commands } from '../edge/parsed-commands.ts';
import { knownId } from '../edge/parse/id.ts';
import { invalid } from '../edge/parse/invalid.ts';
import { duration } from '../edge/parse/time.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import { newId } from '../model/ids/uuid.ts';
import { noPayloads, readRunDetail } from '../monitor/runs/run-detail.ts';
import type { RunEndWaiters } from '../monitor/runs/run-end-waiters.ts';
import { DispatcherService } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import type { LogStreamDeps } from './log-stream.ts';
import { streamRun } from './runs/run-chunk-stream.ts';
import { RunResultStream, subscriberOf } from './runs/run-result-stream.ts';
import { reportBatch } from './requests/batch-report-request.ts';
import { Headed, type Edge } from './edge.ts';
import * as asked from './by-link/linked-calls.ts';
import type { CallsTogether } from './session/calls-together.ts';
import { serve, unsupported, type Handlers } from './handlers.ts';
import { unknownRun } from './runs/run-filter.ts';
import type { GrpcService } from './grpc-server.ts';
import { offersMetadata } from './offers.ts';
import { holdWorkerStream } from './worker-stream.ts';
import { wireVersion } from './wire-version.ts';
import { labelValues, readWorker } from './requests/worker-request.ts';

/** A year: the longest that a call may add to a task's time. */
const longestExtensionMs = 366 * 86_400_000;

export interface DispatcherDeps extends Edge, LogStreamDeps {
  owner: Commands;
  dispatcher: Dispatcher;
  results: RunEndWaiters;
  together: CallsTogether;
}

export function dispatcherService(deps: DispatcherDeps): GrpcService {
  const linked = { sendStepActionEvent: asked.report, listen: asked.listen, listenV2: asked.listen };
  return serve(deps, DispatcherService, handlers(deps), linked);
}

function handlers(deps: DispatcherDeps): Handlers<typeof DispatcherService> {
  const { owner } = deps;
  return {
    getVersion: async () => new Headed({ version: wireVersion }, offersMetadata()),
    register: async (request, caller) => {
      const { tenantId } = caller;
      const facts = readWorker(request);
      const workerId = newId();
      caller.note(workerId);
      await owner.submit({ kind: 'registerWorker', tenantId, workerId, ...facts });
      return { tenantId, workerId, workerName: facts.name };
    },
    listen: (call, caller, signal) => holdWorkerStream(deps, call, caller, signal),
    listenV2: (call, caller, signal) => holdWorkerStream(deps, call, caller, signal),
    heartbeat: async (request, { tenantId }) => {
      const workerId = knownId(request.workerId, 'UNKNOWN_WORKER');
      // While its shard is recovered nobody knows which workers there are, and nobody is judged: each gets its full grace after it.
      if (owner.stateOf(tenantId) !== undefined) deps.dispatcher.heartbeat(tenantId, workerId);
      return {};
    },
    unsubscribe: async (request, { tenantId }) => {
      const workerId = knownId(request.workerId, 'UNKNOWN_WORKER');
      await owner.submit({ kind: 'unsubscribe', tenantId, workerId });
      return { tenantId, workerId };
    },
    upsertWorkerLabels: async (request, { tenantId }) => {
      const workerId = knownId(request.workerId, 'UNKNOWN_WORKER');
      await owner.submit({ kind: 'updateWorker', tenantId, workerId, labels: labelValues(request.labels) });
      return { tenantId, workerId };
    },
    sendStepActionEvent: (event, caller, metadata) =>
      asked.report(event, { link: deps.together.of(caller), caller, metadata }),
    refreshTimeout: async (request, { tenantId }) => {
      const incrementMs = duration(request.incrementTimeoutBy, 'the increment', { most: longestExtensionMs });
      const reply = await owner.submit({
        kind: 'refreshTimeout',
        tenantId,
        taskId: knownId(request.taskRunExternalId, 'UNKNOWN_RUN'),
        incrementMs,
      });
      return { timeoutAt: new Date(reply.timeoutAtUs / 1000) };
    },
    releaseSlot: async (request, { tenantId }) => {
      await owner.submit({
        kind: 'releaseSlot',
        tenantId,
        taskId: knownId(request.taskRunExternalId, 'UNKNOWN_RUN'),
      });
      return {};
    },
    subscribeToWorkflowRuns: (call, { tenantId }) => {
      const subscription = new RunResultStream(deps.results, { tenantId, call: subscriberOf(call) });
      return { handle: (request) => subscription.add(request.workflowRunId), end: () => subscription.stop() };
    },
    subscribeToWorkflowEvents: async (call, { tenantId }, signal) => {
      const given = call.request.workflowRunId ?? '';
      if (given === '') throw invalid('the subscription names no run', 'Subscribe by workflow_run_id.');
      const detail = await readRunDetail(deps.pool, tenantId, knownId(given, 'UNKNOWN_RUN'), noPayloads);
      if (detail === undefined) throw unknownRun(given);
      await streamRun(deps, { call, tenantId, detail, signal });
    },
    sendBatchActionEvent: async (request, { tenantId }) => {
      await reportBatch(deps, request, tenantId);
      return { tenantId, workerId: request.workerId };
    },
    sendGroupKeyActionEvent: unsupported(
      'SendGroupKeyActionEvent',
      'Give the concurrency of a workflow as a CEL expression: the engine evaluates it.',
    ),
    putOverridesData: async () => ({}),
    restoreEvictedTask: async (request, caller) => {
      const { tenantId } = caller;
      const taskId = knownId(request.taskRunExternalId, 'UNKNOWN_RUN');
      caller.note(taskId);
      return owner.submit({ kind: 'durableRestore', tenantId, taskId });
    },
  };
}
