import { HatchetError } from '../../base/errors.ts';
import { longestInline, maxBulkTasks, maxBulkTriggers } from '../../model/limits.ts';
import { checkedMetadata } from '../../model/payload/check-payload.ts';
import { unstorable } from '../../model/payload/storable-text.ts';
import { newId } from '../../model/ids/uuid.ts';
import type { WebhookDelivery } from '../../plan/commands/command-kind.ts';
import type { EventRun, PushedEvent } from '../../plan/commands/events/push-event.ts';
import type { Owner } from '../owner.ts';
import { matchingFilters } from './match-filters.ts';
import { prepareRun, type RunPorts } from './prepare-run.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** An event as any of the pushing calls brings it. */
export interface EventRequest {
  key: string;
  /** JSON. */
  payload: string;
  /** JSON object; empty for none. */
  metadata: string;
  scope: string | undefined;
  priority: number | undefined;
  /** The webhook that it came by. */
  webhookName?: string | null | undefined;
  delivery?: WebhookDelivery | undefined;
}

const longestKey = 1000;

/**
 * The event that the planner shall store, with the runs that it starts: every workflow that listens for its key and has
 * no filters, and one run for each filter of the event's scope that lets it through.
 * @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE
 */
async function prepareEvent(owner: RunPorts, tenantId: TenantId, request: EventRequest): Promise<PushedEvent> {
  const { key, payload } = request;
  checkText(key, "the event's key", 1);
  const scope = request.scope === undefined || request.scope === '' ? null : request.scope;
  if (scope !== null) checkText(scope, "the event's scope", 1);
  const input = payload === '' ? '{}' : payload;
  const checking = owner.payloads.check(tenantId, input, "the event's payload");
  if (checking !== undefined) await checking;
  const metadata = checkedMetadata(request.metadata);
  const state = owner.stateOf(tenantId) ?? (await owner.served(tenantId));
  const event = { id: newId(), key, scope, payload: input, metadata, priority: request.priority };
  const own: unknown = JSON.parse(metadata);
  const runMetadata = JSON.stringify({ ...Object(own), hatchet__event_id: event.id, hatchet__event_key: key });
  const parsed = {
    additional_metadata: own,
    ...(input.length <= longestInline ? { input: JSON.parse(input) as unknown } : {}),
  };
  const runs: EventRun[] = [];
  for (const version of state.latest.startedBy(tenantId, key)) {
    for (const filter of await matchingFilters(owner, version, { event, parsed })) {
      const run = await prepareRun(owner, tenantId, {
        workflowName: version.definition.name,
        input: event.payload,
        metadata: runMetadata,
        priority: request.priority,
        filterPayload: filter?.payload,
      });
      runs.push({ run, filterId: filter?.id ?? null });
    }
  }
  return {
    id: event.id,
    key,
    scope,
    payload: event.payload,
    metadata,
    runs,
    webhookName: request.webhookName,
    delivery: request.delivery,
  };
}

function checkText(text: string, what: string, least: number): void {
  if (text.length < least || text.length > longestKey || unstorable(text) !== undefined)
    throw new HatchetError('INVALID_ARGUMENT', `${what} has ${text.length} characters`, {
      remedy: `Use ${least} to ${longestKey} characters of well-formed Unicode, without NUL.`,
    });
}

export interface StoredEvent extends PushedEvent {
  /** Its own id, or that of the event that its webhook's delivery became before. */
  storedId: string;
}

/**
 * Pushes events. Each is stored with all that it starts; not all of one call need be stored together.
 * @throws HatchetError INVALID_ARGUMENT, PAYLOAD_TOO_LARGE, NOT_OWNER
 */
export async function pushEvents(
  owner: RunPorts & Pick<Owner, 'submit' | 'turns'>,
  tenantId: TenantId,
  requests: readonly EventRequest[],
): Promise<StoredEvent[]> {
  if (requests.length > maxBulkTriggers)
    throw new HatchetError('INVALID_ARGUMENT', `the call pushes ${requests.length} events`, {
      remedy: `Push at most ${maxBulkTriggers} a call.`,
    });
  const events = await owner.turns.each(tenantId, requests, (request) => prepareEvent(owner, tenantId, request));
  const tasks = events.reduce(
    (sum, event) => sum + event.runs.reduce((each, { run }) => each + run.taskIds.length, 0),
    0,
  );
  if (tasks > maxBulkTasks)
    throw new HatchetError('INVALID_ARGUMENT', `the events would make ${tasks} tasks`, {
      remedy: `Let one call make at most ${maxBulkTasks}.`,
    });
  if (events.length === 0) return [];
  const { ids } = await owner.submit({ kind: 'pushEvent', tenantId, events });
  return events.map((event, at) => ({ ...event, storedId: ids[at] ?? event.id }));
}
