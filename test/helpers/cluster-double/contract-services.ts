import { randomUUID } from 'node:crypto';
import {
  Metadata,
  status,
  type Client,
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type MethodDefinition,
  type Server,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import {
  DispatcherService,
  GetVersionResponse,
  ResourceEventType,
  SubscribeToWorkflowEventsRequest,
  WorkflowEvent,
} from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import { EventsServiceService, PutStreamEventRequest } from '../../../proto/gen/hatchet/contract/events.ts';
import { V1DispatcherService } from '../../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import { TriggerWorkflowRequest } from '../../../proto/gen/hatchet/contract/v1/trigger.ts';
import {
  AdminServiceService,
  CreateWorkflowVersionRequest,
  GetRunDetailsRequest,
  TriggerWorkflowRunRequest,
  TriggerWorkflowRunResponse,
} from '../../../proto/gen/hatchet/contract/v1/workflows.ts';
import {
  BulkTriggerWorkflowRequest,
  BulkTriggerWorkflowResponse,
  PutRateLimitRequest,
  TriggerWorkflowResponse,
  WorkflowServiceService,
} from '../../../proto/gen/hatchet/contract/workflows.ts';
import { durableStream } from './durable-stream.ts';
import { tokenOnly } from './token-only.ts';
import type { DoubleState } from './double-state.ts';

type Raw = MethodDefinition<Buffer, Buffer>;
type Definition = { path: string; requestStream: boolean; responseStream: boolean };

/** What the double does with a unary request: refuses it, answers it itself, or passes on other bytes. */
type Verdict = { refuse: { code: status; details: string } } | { answer: Buffer } | { pass: Buffer };

const services: readonly Readonly<Record<string, Definition>>[] = [
  DispatcherService,
  EventsServiceService,
  V1DispatcherService,
  AdminServiceService,
  WorkflowServiceService,
];

/** Hatchet's contract and nothing else: the other services are unknown here. */
export function serveContract(server: Server, upstream: Client, state: DoubleState): void {
  for (const service of services) {
    for (const [name, definition] of Object.entries(service)) {
      const raw = asRaw(definition);
      const only: ServiceDefinition = { [name]: raw };
      server.addService(only, { [name]: handlerOf(raw, upstream, state) });
    }
  }
}

function asRaw({ path, requestStream, responseStream }: Definition): Raw {
  const same = (value: Buffer): Buffer => value;
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

function handlerOf(
  method: Raw,
  upstream: Client,
  state: DoubleState,
):
  | handleUnaryCall<Buffer, Buffer>
  | handleServerStreamingCall<Buffer, Buffer>
  | handleBidiStreamingCall<Buffer, Buffer> {
  if (method.path === V1DispatcherService.durableTask.path) return durableStream(method, upstream, state);
  if (method.requestStream) return bidiStream(method, upstream, state);
  return method.responseStream ? serverStream(method, upstream, state) : unary(method, upstream, state);
}

function unary(method: Raw, upstream: Client, state: DoubleState): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    state.count(method.path);
    const metadata = tokenOnly(call.metadata);
    const verdict = judge(method.path, call.request, state);
    if ('refuse' in verdict) return callback(verdict.refuse);
    if ('answer' in verdict) return callback(null, verdict.answer);
    const isLost = state.takeSwallow(method.path);
    const passed = upstream.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      verdict.pass,
      metadata,
      { deadline: Date.now() + 60_000 },
      (error, response) => {
        if (isLost) return callback({ code: status.UNAVAILABLE, details: 'the connection was lost' });
        if (error !== null) return callback(answerTo(method.path, error));
        return callback(null, response);
      },
    );
    call.on('cancelled', () => passed.cancel());
  };
}

function judge(path: string, request: Buffer, state: DoubleState): Verdict {
  switch (path) {
    case DispatcherService.getVersion.path:
      return { answer: Buffer.from(GetVersionResponse.encode({ version: 'v0.104.7' }).finish()) };
    case AdminServiceService.putWorkflow.path:
      return registration(request, state);
    case AdminServiceService.getRunDetails.path:
      return state.ghosts.has(GetRunDetailsRequest.decode(request).externalId)
        ? { refuse: { code: status.NOT_FOUND, details: 'workflow run not found' } }
        : { pass: request };
    case WorkflowServiceService.putRateLimit.path:
      state.rateLimits.add(PutRateLimitRequest.decode(request).key);
      return { pass: request };
    case EventsServiceService.putStreamEvent.path:
      state.chunk(PutStreamEventRequest.decode(request).taskRunExternalId);
      return { pass: request };
    case WorkflowServiceService.triggerWorkflow.path: {
      const { name } = TriggerWorkflowRequest.decode(request);
      return state.workflows.has(name)
        ? { pass: request }
        : { answer: Buffer.from(TriggerWorkflowResponse.encode({ workflowRunId: ghost(state) }).finish()) };
    }
    case AdminServiceService.triggerWorkflowRun.path: {
      const { workflowName } = TriggerWorkflowRunRequest.decode(request);
      return state.workflows.has(workflowName)
        ? { pass: request }
        : { answer: Buffer.from(TriggerWorkflowRunResponse.encode({ externalId: ghost(state) }).finish()) };
    }
    case WorkflowServiceService.bulkTriggerWorkflow.path: {
      const { workflows } = BulkTriggerWorkflowRequest.decode(request);
      if (workflows.every(({ name }) => state.workflows.has(name))) return { pass: request };
      return {
        answer: Buffer.from(
          BulkTriggerWorkflowResponse.encode({ workflowRunIds: workflows.map(() => ghost(state)) }).finish(),
        ),
      };
    }
    default:
      return { pass: request };
  }
}

/** Limits are foreign keys there, and the violation is told as a fault of the server. */
function registration(request: Buffer, state: DoubleState): Verdict {
  const { name, tasks, onFailureTask } = CreateWorkflowVersionRequest.decode(request);
  const limits = [...tasks, ...(onFailureTask === undefined ? [] : [onFailureTask])]
    .flatMap(({ rateLimits }) => rateLimits)
    .filter(({ keyExpr }) => keyExpr === undefined);
  if (limits.some(({ key }) => !state.rateLimits.has(key)))
    return { refuse: { code: status.INTERNAL, details: 'An internal error occurred.' } };
  state.workflows.add(name);
  return { pass: request };
}

function ghost(state: DoubleState): string {
  const id = randomUUID();
  state.ghosts.add(id);
  return id;
}

/** A cluster's errors have no codes of ours, but the details that are the contract's. */
function answerTo(
  path: string,
  { code, details, metadata }: ServiceError,
): { code: status; details: string; metadata: Metadata } {
  const passed = new Metadata();
  for (const value of metadata.get('grpc-status-details-bin')) passed.add('grpc-status-details-bin', value);
  return {
    code,
    details:
      path === AdminServiceService.getRunDetails.path && code === status.NOT_FOUND ? 'workflow run not found' : details,
    metadata: passed,
  };
}

function serverStream(method: Raw, upstream: Client, state: DoubleState): handleServerStreamingCall<Buffer, Buffer> {
  return (call) => {
    state.count(method.path);
    const missed =
      method.path === DispatcherService.subscribeToWorkflowEvents.path
        ? state.chunksOf(SubscribeToWorkflowEventsRequest.decode(call.request).workflowRunId ?? '')
        : 0;
    const passed = upstream.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      call.request,
      tokenOnly(call.metadata),
    );
    let left = missed;
    call.on('cancelled', () => passed.cancel());
    passed.on('data', (message: Buffer) => {
      // Streams are live there: what was said before somebody listened is gone.
      if (left > 0 && WorkflowEvent.decode(message).eventType === ResourceEventType.RESOURCE_EVENT_TYPE_STREAM)
        left -= 1;
      else call.write(message);
    });
    passed.on('error', (error) => void call.emit('error', error));
    passed.on('end', () => call.end());
  };
}

function bidiStream(method: Raw, upstream: Client, state: DoubleState): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    state.count(method.path);
    const passed = upstream.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      tokenOnly(call.metadata),
    );
    call.on('cancelled', () => passed.cancel());
    call.on('data', (message: Buffer) => void passed.write(message));
    call.on('end', () => passed.end());
    passed.on('data', (message: Buffer) => void call.write(message));
    passed.on('error', (error) => void call.emit('error', error));
    passed.on('end', () => call.end());
  };
}
