import type { ServerWritableStream } from '@grpc/grpc-js';
import { isTerminal, RunStatus } from '../../model/task/status.ts';
import { noPayloads, readRunDetail, type RunDetail } from '../../monitor/runs/run-detail.ts';
import { ChunkOrder } from '../../monitor/lines/chunk-order.ts';
import { readChunks, type StoredChunk } from '../../monitor/lines/stream-reads.ts';
import {
  ResourceEventType,
  ResourceType,
  type SubscribeToWorkflowEventsRequest,
  type WorkflowEvent,
} from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import { readWithin } from '../../monitor/budget/answers-in-flight.ts';
import { writeTo } from '../handlers.ts';
import type { LogStreamDeps } from '../log-stream.ts';
import { sendMessage } from '../send-message.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

const pageChunks = 500;
const pageBytes = 1024 * 1024;
/** SDKs do not wait for a chunk's answer before they report the task's end: the last ones may come after it, on a busy machine half a second. */
const lateMs = 1_000;
/** After the end, how long a missing chunk is waited for. */
const gapMs = 3_000;

type Call = ServerWritableStream<SubscribeToWorkflowEventsRequest, WorkflowEvent>;

/** What a run's tasks stream: what is kept first, then new chunks as they are stored, until the run has ended. */
export async function streamRun(
  deps: LogStreamDeps,
  options: { call: Call; tenantId: TenantId; detail: RunDetail; signal: AbortSignal },
): Promise<void> {
  const { call, tenantId, detail, signal } = options;
  const taskIds = new Set(detail.tasks.map((task) => task.id));
  // A short run has ended before anybody can subscribe to it: its last chunks may still be on their way, too.
  const lateForMs = isTerminal(detail.status) ? lateMs - (Date.now() - (detail.finishedUs ?? 0) / 1_000) : lateMs;
  let ended = lateForMs <= 0;
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  if (!ended) {
    const end = isTerminal(detail.status) ? Promise.resolve() : deps.runEnd(tenantId, detail.id, signal);
    void end.then(() => {
      setTimeout(
        () => {
          ended = true;
          over.abort();
        },
        Math.min(lateForMs, lateMs),
      );
    });
  }
  const order = new ChunkOrder();
  let endedAtMs = Infinity;
  for (let afterId = '0'; !signal.aborted;) {
    const last = ended;
    const written = deps.logWritten(taskIds, either);
    const { value, reservation } = await readWithin(pageBytes, async (bytes) => {
      const { chunks, more, brought } = await readChunks(deps.pool, {
        tenantId,
        runId: detail.id,
        afterId,
        limit: pageChunks,
        bytes,
      });
      return { value: { chunks, more }, brought, leftOut: 0 };
    });
    for (const chunk of value.chunks.flatMap((each) => order.add(each)))
      await sendMessage(call, chunkEvent(detail.id, chunk), { bytes: reservation.bytes, signal });
    reservation.release();
    afterId = value.chunks.at(-1)?.id ?? afterId;
    if (value.more) continue;
    if (last && endedAtMs === Infinity) endedAtMs = performance.now();
    if (last && (!order.hasGaps || performance.now() - endedAtMs > gapMs)) break;
    await (last ? deps.logWritten(taskIds, AbortSignal.any([signal, AbortSignal.timeout(gapMs / 10)])) : written);
  }
  for (const chunk of order.flush()) await writeTo(call, chunkEvent(detail.id, chunk), signal);
  const end = signal.aborted ? undefined : await readRunDetail(deps.pool, tenantId, detail.id, noPayloads);
  if (end !== undefined) await writeTo(call, endEvent(end), signal);
}

function chunkEvent(runId: string, chunk: StoredChunk): WorkflowEvent {
  return {
    workflowRunId: runId,
    resourceType: ResourceType.RESOURCE_TYPE_STEP_RUN,
    eventType: ResourceEventType.RESOURCE_EVENT_TYPE_STREAM,
    resourceId: chunk.taskId,
    eventTimestamp: new Date(),
    eventPayload: chunk.chunk.toString('utf8'),
    hangup: false,
    retryCount: chunk.attempt,
    eventIndex: BigInt(chunk.number),
  };
}

function endEvent(run: RunDetail): WorkflowEvent {
  const types: Partial<Record<RunStatus, ResourceEventType>> = {
    [RunStatus.Completed]: ResourceEventType.RESOURCE_EVENT_TYPE_COMPLETED,
    [RunStatus.Failed]: ResourceEventType.RESOURCE_EVENT_TYPE_FAILED,
    [RunStatus.Cancelled]: ResourceEventType.RESOURCE_EVENT_TYPE_CANCELLED,
  };
  return {
    workflowRunId: run.id,
    resourceType: ResourceType.RESOURCE_TYPE_WORKFLOW_RUN,
    eventType: types[run.status] ?? ResourceEventType.RESOURCE_EVENT_TYPE_UNKNOWN,
    resourceId: run.id,
    eventTimestamp: new Date(),
    eventPayload: '',
    hangup: true,
  };
}
