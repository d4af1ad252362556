import type { Sql } from '../../postgres/sql-client.ts';
import type { WakingPage } from '../../plan/commands/loaded-facts.ts';
import type { ComingEvent, FoundEventWaiters } from '../../plan/commands/command-kind.ts';
import { firstPlace, type EventWaking } from '../../plan/state/event-wakings.ts';
import { mostMet } from '../../plan/state/waking-limits.ts';
import type { Asking } from './command-needs.ts';
import { findDurableWaiters, findPage, type Concerned } from './durable-event-waiters.ts';
import type { WakingEventRow, WakingEvents } from './waking-events.ts';

/** A page of rows of which at least half are meant is not read for nothing: those behind the last task are read again. */
const rowsPerTask = 2;
const leastPage = 20;

/** Who listens for the events of commands, as far as they may be met now. */
export interface LoadedEventWaiters {
  /** Durable tasks whose logs are needed, by who needs them. */
  readonly tasks: readonly { readonly asking: Asking; readonly taskId: string }[];
  /** Events that are told later to what waits for them. */
  readonly wakeLater: ReadonlySet<string>;
  readonly pages: ReadonlyMap<Asking, WakingPage>;
}

export function eventWaitersFor({ wakeLater, pages }: LoadedEventWaiters, asking: Asking): FoundEventWaiters {
  return { wakeLater, page: pages.get(asking) };
}

export async function loadEventWaiters(
  client: Sql,
  asking: readonly Asking[],
  wakingEvents: WakingEvents,
): Promise<LoadedEventWaiters> {
  const coming = await ofComingEvents(client, asking);
  const pages = new Map<Asking, WakingPage>();
  const tasks = coming.concerned.flatMap(({ event, listeners }) => tasksOf(event.asking, listeners));
  for (const each of asking) {
    const { waking } = each.needs;
    if (waking === undefined) continue;
    const event = await wakingEvents.read(client, waking.waking.eventId);
    const page = await readPage(client, each, { ...waking, event });
    pages.set(each, page);
    tasks.push(...tasksOf(each, page.listeners));
  }
  return { tasks, wakeLater: coming.wakeLater, pages };
}

function tasksOf(asking: Asking, listeners: Concerned['listeners']): { asking: Asking; taskId: string }[] {
  return [...new Set(listeners.map(({ taskId }) => taskId))].map((taskId) => ({ asking, taskId }));
}

type Coming = ComingEvent & { asking: Asking };

/** Where many events wake one task each, all of them may; the first that finds no room, and those behind it, wake later. */
async function ofComingEvents(
  client: Sql,
  asking: readonly Asking[],
): Promise<{ concerned: { event: Coming; listeners: Concerned['listeners'] }[]; wakeLater: ReadonlySet<string> }> {
  const all = asking.flatMap((each) =>
    // A shard where nobody ever listened is not asked for.
    each.state.durable.listens ? (each.needs.events ?? []).map((event): Coming => ({ ...event, asking: each })) : [],
  );
  const concerned: { event: Coming; listeners: Concerned['listeners'] }[] = [];
  const wakeLater = new Set<string>();
  const [first] = all;
  if (first === undefined) return { concerned, wakeLater };
  const limits = first.asking.state.wakingLimits;
  const looked = await findDurableWaiters(
    client,
    all.filter((event) => !isTooMany(event)),
    {
      rows: limits.rows,
      together: limits.rows * limits.eventsTogether,
      tasks: ({ payload }) => mostMet(limits, payload),
    },
  );
  let room = { tasks: limits.tasks * limits.eventsTogether, chars: limits.chars * limits.eventsTogether };
  const laterKeys = new Set<string>();
  for (const event of all) {
    const key = `${event.tenantId} ${event.key}`;
    const found = looked.get(event);
    const tasks = new Set(found?.listeners.map(({ taskId }) => taskId)).size;
    const chars = tasks * event.payload.length;
    // One task is always met: with the longest payload too it has to be at some time.
    const fits = tasks <= room.tasks && (tasks <= 1 || chars <= room.chars);
    if (found === undefined || found.next !== null || !fits || laterKeys.has(key)) {
      wakeLater.add(event.id);
      laterKeys.add(key);
      continue;
    }
    room = { tasks: room.tasks - tasks, chars: room.chars - chars };
    concerned.push({ event, listeners: found.listeners });
  }
  return { concerned, wakeLater };
}

/** It is known without a look that the event has to wake later. */
function isTooMany({ asking: { state }, tenantId, key }: Coming): boolean {
  const { rows, looks } = state.wakingLimits;
  return (
    state.wakings.has(tenantId, key) ||
    state.durable.listenerCount(tenantId, key) > rows ||
    state.eventWaiters.count(tenantId, key) > looks
  );
}

async function readPage(
  client: Sql,
  { state }: Asking,
  { waking, tasks, event }: { waking: EventWaking; tasks: number; event: WakingEventRow | undefined },
): Promise<WakingPage> {
  const { eventId, tenantId, key, seq, rows: steps } = waking;
  const hasSteps = steps !== undefined || state.eventWaiters.count(tenantId, key) > 0;
  const after = waking.after ?? (hasSteps ? null : firstPlace);
  const page = { eventId, event, from: after, listeners: [], next: null };
  if (event === undefined || after === null) return page;
  const { wakingLimits } = state;
  const most = Math.min(tasks, mostMet(wakingLimits, event.payload));
  const found = await findPage(
    client,
    { id: eventId, tenantId, key, ...event },
    {
      after,
      seq,
      tasks: most,
      rows: wakingLimits.rows,
      read: Math.min(wakingLimits.rows, Math.max(most * rowsPerTask, leastPage)),
    },
  );
  return { ...page, ...found };
}
