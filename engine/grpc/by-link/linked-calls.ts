import type { Metadata, ServerWritableStream } from '@grpc/grpc-js';
import { AssignedTask } from '../../../link/assigned-task.ts';
import type { EngineLink } from '../../../link/engine-link.ts';
import type { LinkAnswer } from '../../../link/link-command.ts';
import {
  StepActionEventType,
  type ActionEventResponse,
  type AssignedAction,
  type StepActionEvent,
  type WorkerListenRequest,
} from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import type { PutStreamEventRequest, PutStreamEventResponse } from '../../../proto/gen/hatchet/contract/events.ts';
import type { TriggerWorkflowRequest } from '../../../proto/gen/hatchet/contract/v1/trigger.ts';
import type {
  TriggerWorkflowRunRequest,
  TriggerWorkflowRunResponse,
} from '../../../proto/gen/hatchet/contract/v1/workflows.ts';
import type { TriggerWorkflowResponse } from '../../../proto/gen/hatchet/contract/workflows.ts';
import { longestWaitMs } from '../../base/not-owner.ts';
import type { Caller } from '../../edge/access/caller.ts';
import { knownId } from '../../edge/parse/id.ts';
import { newId } from '../../model/ids/uuid.ts';
import { runIdsFrom } from '../runs/run-ids-header.ts';
import { utf8 } from '../utf8.ts';

/** Who asked is told once. */
export type Told = (answer: LinkAnswer) => void;

/** What of the contract's calls travels with others: to another engine by its link, or in this one. */
export interface AskedCalls extends Pick<EngineLink, 'started' | 'completed' | 'failed'> {
  trigger(
    request: TriggerWorkflowRequest,
    options: { runId: string; isAwaited: boolean; isRepeated: boolean; patienceMs: number },
  ): Promise<string>;
}

/** A call that travels with others. */
export interface AskedCall {
  link: AskedCalls;
  caller: Caller;
  metadata: Metadata;
}

/** A call that goes to another engine by the link to it. */
export interface LinkedCall extends AskedCall {
  link: EngineLink;
}

/** What a worker says of an attempt. */
export async function report(event: StepActionEvent, { link, caller }: AskedCall): Promise<ActionEventResponse> {
  const { eventType, eventPayload, taskRunExternalId: taskId, retryCount: attempt = 0 } = event;
  const { shouldNotRetry = false, retryAfterMs } = event;
  const about = { taskId, attempt, invocation: undefined };
  await new Promise<void>((resolve, reject) => {
    const tell = (answer: LinkAnswer): void => ('error' in answer ? reject(answer.error) : resolve());
    switch (eventType) {
      case StepActionEventType.STEP_EVENT_TYPE_STARTED:
        return link.started(about, longestWaitMs, tell);
      case StepActionEventType.STEP_EVENT_TYPE_COMPLETED:
        return link.completed({ ...about, output: eventPayload, shouldNotRetry }, longestWaitMs, tell);
      case StepActionEventType.STEP_EVENT_TYPE_FAILED:
        return link.failed({ ...about, error: eventPayload, shouldNotRetry, retryAfterMs }, longestWaitMs, tell);
      default:
        return resolve(); // the engine stores nothing of it
    }
  });
  return { tenantId: caller.tenantId, workerId: event.workerId };
}

/** The contract's older way to start a run. */
export async function trigger(request: TriggerWorkflowRequest, call: AskedCall): Promise<TriggerWorkflowResponse> {
  return { workflowRunId: await start(request, call) };
}

/** The newer one, which says less. */
export async function triggerRun(
  { workflowName, input, additionalMetadata, priority, desiredWorkerLabels }: TriggerWorkflowRunRequest,
  call: AskedCall,
): Promise<TriggerWorkflowRunResponse> {
  const request: TriggerWorkflowRequest = {
    name: workflowName,
    input: utf8(input),
    additionalMetadata: utf8(additionalMetadata),
    priority,
    desiredWorkerLabels,
  };
  return { externalId: await start(request, call) };
}

async function start(request: TriggerWorkflowRequest, { link, caller, metadata }: AskedCall): Promise<string> {
  const [given] = runIdsFrom(metadata, 1);
  const runId = given ?? newId();
  caller.note(runId);
  // An id that the caller has made may be that of a call whose answer was lost: whether there is such a run is looked up.
  const isRepeated = given !== undefined;
  const made = await link.trigger(request, { runId, isAwaited: false, isRepeated, patienceMs: longestWaitMs });
  if (made !== runId) caller.note(made);
  return made;
}

export async function putChunk(chunk: PutStreamEventRequest, { link }: LinkedCall): Promise<PutStreamEventResponse> {
  // The engine does not read its time, which may be none that could be written again.
  await link.streamed({ ...chunk, createdAt: undefined }, longestWaitMs);
  return {};
}

/** A worker's stream: its tasks come by the link, however often that is cut, until either side ends it. */
export async function listen(
  call: ServerWritableStream<WorkerListenRequest, AssignedAction>,
  { link, caller }: Omit<LinkedCall, 'metadata'>,
  signal: AbortSignal,
): Promise<void> {
  const workerId = knownId(call.request.workerId, 'UNKNOWN_WORKER');
  if (signal.aborted) return;
  await new Promise<void>((resolve, reject) => {
    const detach = link.attach(workerId, {
      onAction: (action) => call.write(action instanceof AssignedTask ? action.ofTenant(caller.tenantId) : action),
      onCut: () => undefined,
      onEnded: reject,
    });
    signal.addEventListener('abort', () => {
      detach();
      resolve();
    });
  });
}
