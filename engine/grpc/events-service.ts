import type { Pool } from 'pg';
import { HatchetError } from '../errors.ts';
import { maxLogChars } from '../model/limits.ts';
import { parseUuid, uuidTimeMs } from '../model/uuid.ts';
import { readEvent } from '../monitor/event-reads.ts';
import type { PushedEvent } from '../plan/command.ts';
import type { Owner } from '../shard/owner.ts';
import { pushEvents, type EventRequest } from '../shard/prepare-event.ts';
import { logLevels } from '../monitor/log-reads.ts';
import type { LogWriter } from '../monitor/log-writer.ts';
import { EventsServiceService, type Event, type EventsServiceServer, type PushEventRequest, type PutLogRequest } from '../../proto/gen/hatchet/contract/events.ts';
import { unary, unsupported, type Edge } from './handlers.ts';
import type { GrpcService } from './server.ts';

export interface EventsDeps extends Edge {
  owner: Owner;
  pool: Pool;
  logs: LogWriter;
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
    putStreamEvent: unsupported(deps, 'PutStreamEvent'),
  };
  return { definition: EventsServiceService, implementation };
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
  const level = logLevels.findIndex((name) => name === request.level?.toUpperCase());
  return {
    tenantId,
    taskId,
    atMs: request.createdAt?.getTime() ?? Date.now(),
    attempt: request.taskRetryCount ?? 0,
    level: level < 0 ? 1 : level,
    message,
    metadata: request.metadata === '' ? '{}' : request.metadata.replaceAll('\0', ''),
  };
}
