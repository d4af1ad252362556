import type { Pool } from 'pg';
import { HatchetError } from '../errors.ts';
import { maxLogChars, maxLogMetadataChars, maxPayloadBytes } from '../model/limits.ts';
import { checkDepth } from '../model/payload.ts';
import { parseUuid, uuidTimeMs } from '../model/uuid.ts';
import { readEvent } from '../monitor/event-reads.ts';
import type { PushedEvent } from '../plan/command.ts';
import type { Owner } from '../shard/owner.ts';
import { pushEvents, type EventRequest } from '../shard/prepare-event.ts';
import { logLevels } from '../monitor/log-reads.ts';
import { noPayloads, readRunDetail } from '../monitor/run-detail.ts';
import type { NewChunk, StreamWriter } from '../monitor/stream-writer.ts';
import type { LogWriter } from '../monitor/log-writer.ts';
import { EventsServiceService, type Event, type EventsServiceServer, type PushEventRequest, type PutLogRequest, type PutStreamEventRequest } from '../../proto/gen/hatchet/contract/events.ts';
import { unary, type Edge } from './handlers.ts';
import type { GrpcService } from './server.ts';

export interface EventsDeps extends Edge {
  owner: Owner;
  pool: Pool;
  logs: LogWriter;
  streams: StreamWriter;
}

export function eventsService(deps: EventsDeps): GrpcService {
  const implementation: EventsServiceServer = {
    putLog: unary(deps, async (request, { tenantId }) => {
      await deps.logs.write(logLine(request, tenantId));
      return {};
    }),
    push: unary(deps, async (request, { tenantId }) => {
      const [event] = await pushEvents(deps.owner, tenantId, [fromWire(request)]);
      return toWire(tenantId, event);
    }),
    bulkPush: unary(deps, async ({ events }, { tenantId }) => {
      const pushed = await pushEvents(deps.owner, tenantId, events.map(fromWire));
      return { events: pushed.map((event) => toWire(tenantId, event)) };
    }),
    replaySingleEvent: unary(deps, async ({ eventId }, { tenantId }) => {
      const id = parseUuid(eventId);
      const stored = id === undefined ? undefined : await readEvent(deps.pool, tenantId, id);
      if (stored === undefined) throw new HatchetError('UNKNOWN_EVENT', `there is no event ${JSON.stringify(eventId)}`, { remedy: 'Check the id.' });
      const [event] = await pushEvents(deps.owner, tenantId, [{ ...stored, scope: stored.scope ?? undefined, priority: undefined }]);
      return toWire(tenantId, event);
    }),
    putStreamEvent: unary(deps, async (request, { tenantId }) => {
      await deps.streams.write(await streamChunk(deps, request, tenantId));
      return {};
    }),
  };
  return { definition: EventsServiceService, implementation };
}

/** Chunks are sent without waiting, so one may come after its task's end. @throws HatchetError */
async function streamChunk(deps: EventsDeps, request: PutStreamEventRequest, tenantId: string): Promise<NewChunk> {
  const taskId = parseUuid(request.taskRunExternalId);
  const where = taskId === undefined ? undefined : (placeInMemory(deps.owner, tenantId, taskId) ?? (await placeInHistory(deps.pool, tenantId, taskId)));
  if (taskId === undefined || where === undefined) throw new HatchetError('UNKNOWN_RUN', `there is no task run ${JSON.stringify(request.taskRunExternalId)}`, { remedy: 'Stream from inside a task.' });
  if (request.message.byteLength > maxPayloadBytes) throw new HatchetError('PAYLOAD_TOO_LARGE', `a stream chunk has ${request.message.byteLength} bytes; the limit is ${maxPayloadBytes}`, { remedy: 'Send smaller chunks.' });
  return { tenantId, taskId, ...where, number: request.eventIndex === undefined ? Date.now() * 1000 : Number(request.eventIndex), chunk: request.message };
}

function placeInMemory(owner: Owner, tenantId: string, taskId: string): { runId: string; attempt: number } | undefined {
  const state = owner.stateOf(tenantId);
  const row = state?.tasks.find(taskId) ?? -1;
  if (state === undefined || row < 0 || state.stepOf(row).version.tenantId !== tenantId) return undefined;
  return { runId: state.runIdOf(row), attempt: state.tasks.attempt[row] ?? 0 };
}

async function placeInHistory(pool: Pool, tenantId: string, taskId: string): Promise<{ runId: string; attempt: number } | undefined> {
  const run = await readRunDetail(pool, tenantId, taskId, noPayloads);
  const task = run?.tasks.find((each) => each.id === taskId);
  return run === undefined || task === undefined ? undefined : { runId: run.id, attempt: task.attempt };
}

function fromWire(request: PushEventRequest): EventRequest {
  return { key: request.key, payload: request.payload, metadata: request.additionalMetadata ?? '', scope: request.scope, priority: request.priority };
}

function toWire(tenantId: string, event: PushedEvent | undefined): Event {
  if (event === undefined) throw new Error('a pushed event is missing in the answer');
  const { id, key, payload, metadata, scope } = event;
  return { tenantId, eventId: id, key, payload, eventTimestamp: new Date(uuidTimeMs(id)), additionalMetadata: metadata, scope: scope ?? undefined };
}

function logLine(request: PutLogRequest, tenantId: string): Parameters<LogWriter['write']>[0] {
  const taskId = parseUuid(request.taskRunExternalId);
  if (taskId === undefined) throw new HatchetError('INVALID_ARGUMENT', `${JSON.stringify(request.taskRunExternalId)} is not a task run's id`);
  const message = request.message.replaceAll('\0', '');
  if (message === '' || message.length > maxLogChars) throw new HatchetError('INVALID_ARGUMENT', `a log line of ${message.length} characters`, { remedy: `Send 1 to ${maxLogChars} characters.` });
  const metadata = request.metadata.replaceAll('\0', '');
  if (metadata.length > maxLogMetadataChars) throw new HatchetError('INVALID_ARGUMENT', `the metadata of a log line has ${metadata.length} characters`, { remedy: `Send up to ${maxLogMetadataChars}.` });
  checkDepth(metadata, 'the metadata of a log line');
  const level = logLevels.findIndex((name) => name === request.level?.toUpperCase());
  return {
    tenantId,
    taskId,
    atMs: request.createdAt?.getTime() ?? Date.now(),
    attempt: request.taskRetryCount ?? 0,
    level: level < 0 ? 1 : level,
    message,
    metadata: metadata === '' ? '{}' : metadata,
  };
}
