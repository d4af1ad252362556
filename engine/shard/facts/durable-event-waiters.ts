import type { Sql } from '../../postgres/sql-client.ts';
import { CelVariables } from '../../cel/cel-variables.ts';
import { compileCel } from '../../cel/compile-cel.ts';
import { guardsOf } from '../../cel/equality-guard.ts';
import { plainArray, textArray } from '../../commit/array-literal.ts';
import type { ComingEvent } from '../../plan/commands/command-kind.ts';
import { holds } from '../../plan/conditions/evaluate-condition.ts';
import type { Listener } from '../../plan/durable/meet-durable-event.ts';
import { firstPlace, type ListenPlace } from '../../plan/state/event-wakings.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

interface ListenSqlRow {
  event: number;
  at: number;
  guard: string;
  task_id: string;
  branch: number;
  node: number;
  condition: number;
  expression: string;
}

/**
 * By event, by the scopes and guards that it meets, the conditions behind a place that listen since before a number of the
 * shard's sequence: so many of each, and so many of all together. A guard of NULL is any.
 */
export const readListeners = {
  name: 'durable_listeners',
  text: `
    SELECT c.event, c.at, l.guard, l.task_id, l.branch, l.node, l.condition, l.expression
    FROM unnest($1::integer[], $2::integer[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::uuid[], $9::integer[], $10::integer[], $11::integer[])
      AS c (event, at, tenant_id, event_key, scope, guard, after_guard, task_id, branch, node, condition)
    CROSS JOIN LATERAL (
      (SELECT d.guard, d.task_id, d.branch, d.node, d.condition, d.expression FROM durable_listen d
       WHERE d.tenant_id = c.tenant_id AND d.event_key = c.event_key AND d.scope = c.scope AND d.guard = c.guard
         AND (d.task_id, d.branch, d.node, d.condition) > (c.task_id, c.branch, c.node, c.condition) AND d.seq < $12::bigint
       ORDER BY d.task_id, d.branch, d.node, d.condition LIMIT $13::bigint)
      UNION ALL
      (SELECT d.guard, d.task_id, d.branch, d.node, d.condition, d.expression FROM durable_listen d
       WHERE c.guard IS NULL AND d.tenant_id = c.tenant_id AND d.event_key = c.event_key AND d.scope = c.scope
         AND (d.guard, d.task_id, d.branch, d.node, d.condition) > (c.after_guard, c.task_id, c.branch, c.node, c.condition) AND d.seq < $12::bigint
       ORDER BY d.guard, d.task_id, d.branch, d.node, d.condition LIMIT $13::bigint)
    ) l ORDER BY c.event, c.at, l.guard, l.task_id, l.branch, l.node, l.condition LIMIT $14::bigint`,
};

/** Of an event, those conditions that it concerns. */
export interface Concerned {
  readonly listeners: readonly Listener[];
  /** Where the reading stopped; null where there are no more. */
  readonly next: ListenPlace | null;
}

interface Limits {
  /** Rows of one event. */
  rows: number;
  /** Rows of all events. */
  together: number;
  /** Tasks of one event. */
  tasks: (event: ComingEvent) => number;
}

/** Another expression costs as much as so many rows: to compile one takes up to 0.1 ms. */
const expressionRows = 5;

/** Rows that are read for an event beside as many others as a transaction takes. */
const leastRows = 10;

/** Any that an event which comes now concerns. */
const now = '9223372036854775807';

/**
 * By event, the durable tasks that it concerns: those with a condition that it meets, or whose expression fails on it. Of an
 * expression that begins with an equality, one that fails for want of the field is not among them: of ten thousand of them,
 * each would be read for every event of another kind. Events of which nothing is known are absent.
 */
export async function findDurableWaiters<Event extends ComingEvent>(
  client: Sql,
  events: readonly Event[],
  limits: Limits,
): Promise<Map<Event, Concerned>> {
  const found = new Map<Event, Concerned>();
  if (events.length === 0) return found;
  const inputs = events.map((event) => new CelVariables({ input: event.payload }));
  // One more than it may read: whether there are more is known by that. Each of many gets less: Postgres reads all before it cuts.
  const each = Math.min(limits.rows + 1, Math.max(Math.ceil(limits.together / events.length), leastRows));
  const rows = await read(client, {
    places: events.flatMap((event, at) => placesOf(event, inputs[at]).map((place) => ({ ...place, event: at }))),
    before: now,
    each,
    together: limits.together,
  });
  const isCut = rows.length >= limits.together;
  const byEvent = new Map<number, ListenSqlRow[]>();
  for (const row of rows) {
    const own = byEvent.get(row.event);
    if (own === undefined) byEvent.set(row.event, [row]);
    else own.push(row);
  }
  const last = rows.at(-1)?.event ?? -1;
  for (const [at, event] of events.entries()) {
    const variables = inputs[at];
    const own = byEvent.get(at) ?? [];
    if (variables === undefined || (isCut && at >= last) || isCutPlace(own, each)) continue;
    found.set(event, concernedOf(own, variables, { ...limits, tasks: limits.tasks(event) }));
  }
  return found;
}

/** Whether there may be more of one of an event's scopes and guards. */
function isCutPlace(rows: readonly ListenSqlRow[], each: number): boolean {
  const counts = new Map<number, number>();
  for (const { at } of rows) counts.set(at, (counts.get(at) ?? 0) + 1);
  return Math.max(0, ...counts.values()) >= each;
}

/** Of an event of before, those behind a place that listened when it came. */
export async function findPage(
  client: Sql,
  event: ComingEvent,
  page: {
    after: ListenPlace;
    seq: number;
    tasks: number;
    /** What looking at them may cost; another expression costs several. */
    rows: number;
    /** Rows that are read. */
    read: number;
  },
): Promise<Concerned> {
  const variables = new CelVariables({ input: event.payload });
  const { after, seq, tasks } = page;
  const places = placesOf(event, variables)
    .filter(({ at }) => at >= after.at)
    .map((place) => ({ ...place, ...(place.at === after.at ? { after } : {}), event: 0 }));
  // One more: whether there are more is known by that.
  const each = page.read + 1;
  const rows = await read(client, { places, before: String(seq), each, together: each });
  const last = rows.length > page.read ? rows.at(-2) : undefined;
  const concerned = concernedOf(last === undefined ? rows : rows.slice(0, -1), variables, { rows: page.rows, tasks });
  return concerned.next === null && last !== undefined ? { ...concerned, next: placeOf(last) } : concerned;
}

interface AskedPlace {
  at: number;
  tenantId: TenantId;
  key: string;
  scope: string;
  guard: string | null;
  after: ListenPlace;
}

function placesOf({ tenantId, key, scope }: ComingEvent, variables: CelVariables | undefined): AskedPlace[] {
  const scopes = scope === null ? [''] : ['', scope];
  return (guardsOf(variables?.values['input']) ?? [null])
    .flatMap((guard) => scopes.map((each) => ({ tenantId, key, scope: each, guard })))
    .map((place, at) => ({ ...place, at, after: firstPlace }));
}

async function read(
  client: Sql,
  {
    places,
    before,
    each,
    together,
  }: { places: readonly (AskedPlace & { event: number })[]; before: string; each: number; together: number },
): Promise<ListenSqlRow[]> {
  const columns = [
    plainArray(places.map(({ event }) => event)),
    plainArray(places.map(({ at }) => at)),
    plainArray(places.map(({ tenantId }) => tenantId)),
    textArray(places.map(({ key }) => key)),
    textArray(places.map(({ scope }) => scope)),
    plainArray(places.map(({ guard }) => guard)),
    plainArray(places.map(({ after }) => after.guard)),
    plainArray(places.map(({ after }) => after.taskId)),
    plainArray(places.map(({ after }) => after.branch)),
    plainArray(places.map(({ after }) => after.node)),
    plainArray(places.map(({ after }) => after.condition)),
  ];
  const { rows } = await client.query<ListenSqlRow>({ ...readListeners, values: [...columns, before, each, together] });
  return rows;
}

function concernedOf(
  rows: readonly ListenSqlRow[],
  variables: CelVariables,
  limits: { rows: number; tasks: number },
): Concerned {
  const known = new Map<string, boolean>();
  const tasks = new Set<string>();
  const listeners: Listener[] = [];
  let last: ListenSqlRow | undefined;
  for (const [count, row] of rows.entries()) {
    const { task_id: taskId, branch, node, condition, expression } = row;
    const isMeant = known.get(expression) ?? concerns(expression, variables);
    known.set(expression, isMeant);
    const isNew = isMeant && !tasks.has(taskId);
    const cost = count + known.size * expressionRows;
    if (last !== undefined && (cost > limits.rows || (isNew && tasks.size >= limits.tasks))) {
      return { listeners, next: placeOf(last) };
    }
    if (isMeant) {
      tasks.add(taskId);
      listeners.push({ taskId, branch, node, condition, expression });
    }
    last = row;
  }
  return { listeners, next: null };
}

function placeOf({ at, guard, task_id: taskId, branch, node, condition }: ListenSqlRow): ListenPlace {
  return { at, guard, taskId, branch, node, condition };
}

function concerns(expression: string, variables: CelVariables): boolean {
  if (expression === '') return true;
  // One that is too dear is evaluated elsewhere, with the logs at hand.
  if (!compileCel(expression).isCheap(variables.chars)) return true;
  const { met, why } = holds(expression, variables, undefined);
  return met || why !== undefined;
}
