import type { Event, PushedEvent as PushedEventAnswer } from '../../../proto/gen/rest/answers.ts';
import type { Caller } from '../../edge/access/caller.ts';
import { id } from '../../edge/parse/id.ts';
import { metadataPairs, searchedIds } from '../../edge/parse/selection.ts';
import { HatchetError } from '../../base/errors.ts';
import { maxPageBytes } from '../../model/limits.ts';
import { readWithin } from '../../monitor/budget/answers-in-flight.ts';
import { listEventKeys, listEvents, type ListedEvent } from '../../monitor/event-reads.ts';
import { pageSize } from '../../monitor/budget/within-bytes.ts';
import { uuidFloor } from '../../model/ids/uuid-floor.ts';
import type { PushedEvent } from '../../plan/commands/events/push-event.ts';
import { pushEvents, type EventRequest } from '../../shard/prepare/prepare-event.ts';
import { answer, plainAnswer } from '../answer-in-pieces.ts';
import { leftOutFields, madeAt, pagination, resourceMeta, storedJson } from '../message-fields.ts';
import type { RestDeps } from '../deps.ts';
import type { Router } from '../gated-router.ts';
import { isObject } from '../../model/payload/is-object.ts';
import { bodyWithPayloads, dateQuery, listQuery, pageQuery, payloadMember } from '../request-values.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

const base = '/api/v1/stable/tenants/:tenant/events';
export const anyEvent = {
  keys: [],
  ids: [],
  scopes: [],
  metadata: null,
  sinceId: null,
  untilId: null,
  offset: 0,
  limit: 1,
  payloadBytes: maxPageBytes,
};

/** Events: pushing and reading. */
export function registerEventRoutes(router: Router, deps: RestDeps): void {
  router.get(base, async (context) => {
    const { tenantId } = context.get('caller');
    const { req } = context;
    const page = pageQuery(req);
    const since = dateQuery(req, 'since');
    const until = dateQuery(req, 'until');
    const filter = {
      tenantId,
      keys: listQuery(req, 'keys'),
      ids: searchedIds(listQuery(req, 'eventIds'), 'eventIds'),
      scopes: listQuery(req, 'scopes'),
      metadata: metadataPairs(listQuery(req, 'additionalMetadata')),
      sinceId: since === undefined ? null : uuidFloor(since.getTime()),
      untilId: until === undefined ? null : uuidFloor(until.getTime()),
      offset: page.offset,
      limit: page.limit + 1,
    };
    const events = await readWithin(maxPageBytes, async (payloadBytes) => {
      const rows = await listEvents(deps.pool, { ...filter, payloadBytes });
      return {
        value: {
          pagination: pagination({ ...page, more: rows.length > page.limit }),
          rows: rows.slice(0, page.limit).map((event) => eventMessage(event, tenantId)),
        },
        ...pageSize(rows),
      };
    });
    return answer(context, events);
  });
  router.get(`${base}/keys`, async (context) =>
    context.json({
      pagination: pagination({ offset: 0, limit: 1000, more: false }),
      rows: await listEventKeys(deps.pool, context.get('caller').tenantId),
    }),
  );
  router.get(`${base}/:event`, async (context) => {
    const { tenantId } = context.get('caller');
    const eventId = id(context.req.param('event'), 'the event');
    const held = await readWithin(maxPageBytes, async (payloadBytes) => {
      const [event] = await listEvents(deps.pool, { ...anyEvent, tenantId, ids: [eventId], payloadBytes });
      if (event === undefined)
        throw new HatchetError('UNKNOWN_EVENT', `there is no event ${eventId}`, { remedy: 'Check the id.' });
      return { value: eventMessage(event, tenantId), ...pageSize([event]) };
    });
    return answer(context, held);
  });
  router.post('/api/v1/tenants/:tenant/events', async (context) => {
    const { tenantId } = context.get('caller');
    const [event] = await pushEvents(deps.owner, tenantId, [
      eventRequest(await bodyWithPayloads(context, deps.owner.payloads)),
    ]);
    return plainAnswer(context, pushedMessage(event, context.get('caller')));
  });
  router.post('/api/v1/tenants/:tenant/events/bulk', async (context) => {
    const { tenantId } = context.get('caller');
    const { events } = await bodyWithPayloads(context, deps.owner.payloads);
    if (!Array.isArray(events) || !events.every(isObject))
      throw new HatchetError('INVALID_ARGUMENT', 'events is not a list of objects', {
        remedy: 'Send {"events": [{"key": …, "data": …}]}.',
      });
    const pushed = await pushEvents(deps.owner, tenantId, events.map(eventRequest));
    return plainAnswer(context, { events: pushed.map((event) => pushedMessage(event, context.get('caller'))) });
  });
}

/** @throws HatchetError INVALID_ARGUMENT */
function eventRequest(body: Record<string, unknown>): EventRequest {
  const { key, data, additionalMetadata, scope, priority } = body;
  if (typeof key !== 'string')
    throw new HatchetError('INVALID_ARGUMENT', 'key is missing', { remedy: "Give the event's key." });
  if (scope !== undefined && typeof scope !== 'string')
    throw new HatchetError('INVALID_ARGUMENT', 'scope is not a string', { remedy: 'Send a string, or leave it out.' });
  if (priority !== undefined && typeof priority !== 'number')
    throw new HatchetError('INVALID_ARGUMENT', 'priority is not a number', { remedy: 'Choose 1, 2 or 3.' });
  return {
    key,
    payload: data === null ? 'null' : (payloadMember(data) ?? '{}'),
    metadata: payloadMember(additionalMetadata) ?? '',
    scope,
    priority,
  };
}

function pushedMessage(event: PushedEvent | undefined, caller: Caller): PushedEventAnswer {
  if (event === undefined) throw new Error('a pushed event is missing in the answer');
  const { tenantId } = caller;
  caller.note(event.id, ...event.runs.map(({ run }) => run.runId));
  return {
    metadata: resourceMeta(event.id),
    key: event.key,
    tenantId,
    additionalMetadata: storedJson(event.metadata),
    scope: event.scope ?? undefined,
  };
}

export function eventMessage(event: ListedEvent, tenantId: TenantId): Event {
  const {
    id: eventId,
    key,
    scope,
    payload,
    metadata,
    webhookName,
    queued,
    running,
    completed,
    failed,
    cancelled,
  } = event;
  return {
    metadata: resourceMeta(eventId),
    key,
    tenantId,
    workflowRunSummary: { running, queued, succeeded: completed, failed, cancelled },
    additionalMetadata: storedJson(metadata),
    payload: storedJson(payload),
    scope: scope ?? undefined,
    seenAt: madeAt(eventId),
    triggeringWebhookName: webhookName ?? undefined,
    triggeredRuns: event.runs.map(({ runId, filterId }) => ({ workflowRunId: runId, filterId: filterId ?? undefined })),
    leftOut: leftOutFields({ payload: event.payloadLeftOut, additionalMetadata: event.metadataLeftOut }),
  };
}
