import type { Pool } from 'pg';
import type { TenantLimits } from '../auth/tenant-limits.ts';
import type { Commands } from '../edge/parsed-commands.ts';
import { DailyUse } from '../edge/limits/daily-use.ts';
import { knownId } from '../edge/parse/id.ts';
import { quoted } from '../edge/parse/invalid.ts';
import { wholeNumber } from '../edge/parse/number.ts';
import { HatchetError } from '../base/errors.ts';
import { maxPayloadBytes } from '../model/limits.ts';
import type { Checked } from '../model/checked.ts';
import { uuidTimeMs } from '../model/ids/uuid.ts';
import { readEvent } from '../monitor/event-reads.ts';
import type { PushedEvent } from '../plan/commands/events/push-event.ts';
import { pushEvents, type EventRequest } from '../shard/prepare/prepare-event.ts';
import { noPayloads, readRunDetail } from '../monitor/runs/run-detail.ts';
import type { NewChunk, StreamWriter } from '../writers/stream-writer.ts';
import {
  EventsServiceService,
  type Event,
  type PushEventRequest,
  type PutStreamEventRequest,
} from '../../proto/gen/hatchet/contract/events.ts';
import { serve, type Edge } from './handlers.ts';
import type { LogIntake } from './log-intake.ts';
import type { GrpcService } from './grpc-server.ts';

export interface EventsDeps extends Edge {
  owner: Commands;
  pool: Pool;
  logIntake: LogIntake;
  streams: StreamWriter;
  limits: TenantLimits;
}

/** Postgres's `bigint`, as far as a number holds it exactly. */
const largestIndex = Number.MAX_SAFE_INTEGER;

export function eventsService(deps: EventsDeps): GrpcService {
  const { owner, pool, limits } = deps;
  const streamed = new DailyUse('streamBytesPerDay');
  return serve(deps, EventsServiceService, {
    putLog: async (request, { tenantId }) => {
      await deps.logIntake.take(tenantId, [request]);
      return {};
    },
    push: async (request, caller) => {
      const [event] = await pushEvents(owner, caller.tenantId, [fromWire(request)]);
      return toWire(noted(caller, event));
    },
    bulkPush: async ({ events }, caller) => {
      const pushed = await pushEvents(owner, caller.tenantId, events.map(fromWire));
      return { events: pushed.map((event) => toWire(noted(caller, event))) };
    },
    replaySingleEvent: async ({ eventId }, caller) => {
      const { tenantId } = caller;
      const stored = await readEvent(pool, tenantId, knownId(eventId, 'UNKNOWN_EVENT'));
      if (stored === undefined)
        throw new HatchetError('UNKNOWN_EVENT', `there is no event ${quoted(eventId)}`, { remedy: 'Check the id.' });
      const [event] = await pushEvents(owner, tenantId, [
        { ...stored, scope: stored.scope ?? undefined, priority: undefined },
      ]);
      return toWire(noted(caller, event));
    },
    putStreamEvent: async (request, { tenantId }) => {
      const chunk = await streamChunk(deps, request, tenantId);
      streamed.take(tenantId, limits.of(tenantId), chunk.chunk.byteLength, Date.now());
      await deps.streams.write(chunk);
      return {};
    },
  });
}

/** Chunks are sent without waiting, so one may come after its task's end. @throws HatchetError */
async function streamChunk(
  { owner, pool }: EventsDeps,
  request: PutStreamEventRequest,
  tenantId: Checked<string>,
): Promise<NewChunk> {
  const taskId = knownId(request.taskRunExternalId, 'UNKNOWN_RUN');
  const size = request.message.byteLength;
  if (size > maxPayloadBytes)
    throw new HatchetError('PAYLOAD_TOO_LARGE', `a stream chunk has ${size} bytes; the limit is ${maxPayloadBytes}`, {
      remedy: 'Send smaller chunks.',
    });
  const number =
    request.eventIndex === undefined
      ? Date.now() * 1000
      : wholeNumber(request.eventIndex, 'the index of a stream chunk', { min: 0, max: largestIndex });
  const where = placeInMemory(owner, tenantId, taskId) ?? (await placeInHistory(pool, tenantId, taskId));
  if (where === undefined)
    throw new HatchetError('UNKNOWN_RUN', `there is no task run ${quoted(request.taskRunExternalId)}`, {
      remedy: 'Stream from inside a task.',
    });
  return { tenantId, taskId, ...where, number, chunk: request.message };
}

function placeInMemory(
  owner: Commands,
  tenantId: string,
  taskId: string,
): { runId: string; attempt: number } | undefined {
  const state = owner.stateOf(tenantId);
  const row = state?.tasks.find(taskId);
  if (state === undefined || row === undefined || state.stepOf(row).version.tenantId !== tenantId) return undefined;
  return { runId: state.runIdOf(row), attempt: state.tasks.attempt[row] ?? 0 };
}

async function placeInHistory(
  pool: Pool,
  tenantId: string,
  taskId: string,
): Promise<{ runId: string; attempt: number } | undefined> {
  const run = await readRunDetail(pool, tenantId, taskId, noPayloads);
  const task = run?.tasks.find((each) => each.id === taskId);
  return run === undefined || task === undefined ? undefined : { runId: run.id, attempt: task.attempt };
}

function fromWire(request: PushEventRequest): EventRequest {
  return {
    key: request.key,
    payload: request.payload,
    metadata: request.additionalMetadata ?? '',
    scope: request.scope,
    priority: request.priority,
  };
}

function noted(
  caller: { tenantId: string; note(...ids: readonly string[]): void },
  event: PushedEvent | undefined,
): { tenantId: string; event: PushedEvent } {
  if (event === undefined) throw new Error('a pushed event is missing in the answer');
  caller.note(event.id, ...event.runs.map(({ run }) => run.runId));
  return { tenantId: caller.tenantId, event };
}

function toWire({ tenantId, event }: { tenantId: string; event: PushedEvent }): Event {
  const { id: eventId, key, payload, metadata, scope } = event;
  return {
    tenantId,
    eventId,
    key,
    payload,
    eventTimestamp: new Date(uuidTimeMs(eventId)),
    additionalMetadata: metadata,
    scope: scope ?? undefined,
  };
}
