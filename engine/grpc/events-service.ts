import { HatchetError } from '../errors.ts';
import { maxLogChars } from '../model/limits.ts';
import { parseUuid } from '../model/uuid.ts';
import { logLevels } from '../monitor/log-reads.ts';
import type { LogWriter } from '../monitor/log-writer.ts';
import { EventsServiceService, type EventsServiceServer, type PutLogRequest } from '../../proto/gen/hatchet/contract/events.ts';
import { unary, unsupported, type Edge } from './handlers.ts';
import type { GrpcService } from './server.ts';

export interface EventsDeps extends Edge {
  logs: LogWriter;
}

export function eventsService(deps: EventsDeps): GrpcService {
  const implementation: EventsServiceServer = {
    putLog: unary(deps, async (request, { tenantId }) => {
      await deps.logs.write(logLine(request, tenantId));
      return {};
    }),
    push: unsupported(deps, 'Push'),
    bulkPush: unsupported(deps, 'BulkPush'),
    replaySingleEvent: unsupported(deps, 'ReplaySingleEvent'),
    putStreamEvent: unsupported(deps, 'PutStreamEvent'),
  };
  return { definition: EventsServiceService, implementation };
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
