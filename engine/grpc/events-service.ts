import type { Pool } from 'pg';
import type { Commands } from '../edge/parsed-commands.ts';
import { knownId } from '../edge/parse/id.ts';
import { quoted } from '../edge/parse/invalid.ts';
import { HatchetError } from '../base/errors.ts';
import { uuidTimeMs } from '../model/ids/uuid.ts';
import { readEvent } from '../monitor/event-reads.ts';
import type { PushedEvent } from '../plan/commands/events/push-event.ts';
import { pushEvents, type EventRequest } from '../shard/prepare/prepare-event.ts';
import { EventsServiceService, type Event, type PushEventRequest } from '../../proto/gen/hatchet/contract/events.ts';
import type { Edge } from './edge.ts';
import * as asked from './by-link/linked-calls.ts';
import { serve, type Handlers } from './handlers.ts';
import type { LogIntake } from './log-intake.ts';
import type { StreamIntake } from './stream-intake.ts';
import type { GrpcService } from './grpc-server.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

export interface EventsDeps extends Edge {
  owner: Commands;
  pool: Pool;
  logIntake: LogIntake;
  streamIntake: StreamIntake;
}

export function eventsService(deps: EventsDeps): GrpcService {
  return serve(deps, EventsServiceService, handlers(deps), { putStreamEvent: asked.putChunk });
}

function handlers(deps: EventsDeps): Handlers<typeof EventsServiceService> {
  const { owner, pool } = deps;
  return {
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
      await deps.streamIntake.take(tenantId, request);
      return {};
    },
  };
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
  caller: { tenantId: TenantId; note(...ids: readonly string[]): void },
  event: PushedEvent | undefined,
): { tenantId: TenantId; event: PushedEvent } {
  if (event === undefined) throw new Error('a pushed event is missing in the answer');
  caller.note(event.id, ...event.runs.map(({ run }) => run.runId));
  return { tenantId: caller.tenantId, event };
}

function toWire({ tenantId, event }: { tenantId: TenantId; event: PushedEvent }): Event {
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
