import type { Sql } from '../../postgres/sql-client.ts';
import { CelVariables } from '../../cel/cel-variables.ts';
import { compileCel } from '../../cel/compile-cel.ts';
import { guardsOf } from '../../cel/equality-guard.ts';
import { plainArray, textArray } from '../../commit/array-literal.ts';
import type { ComingEvent } from '../../plan/commands/kind.ts';
import { holds } from '../../plan/conditions/review-task.ts';
import type { Listener } from '../../plan/durable/durable-event.ts';
import { firstPlace, type ListenPlace } from '../../plan/state/event-wakings.ts';

interface ListenSqlRow {
  event: number;
  at: number;
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
    SELECT c.event, c.at, l.task_id, l.branch, l.node, l.condition, l.expression
    FROM unnest($1::integer[], $2::integer[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::uuid[], $8::integer[], $9::integer[], $10::integer[])
      AS c (event, at, tenant_id, event_key, scope, guard, task_id, branch, node, condition)
    CROSS JOIN LATERAL (
      (SELECT d.task_id, d.branch, d.node, d.condition, d.expression FROM durable_listen d
       WHERE d.tenant_id = c.tenant_id AND d.event_key = c.event_key AND d.scope = c.scope AND d.guard = c.guard
         AND (d.task_id, d.branch, d.node, d.condition) > (c.task_id, c.branch, c.node, c.condition) AND d.seq < $11::bigint
       ORDER BY d.task_id, d.branch, d.node, d.condition LIMIT $12::bigint)
      UNION ALL
      (SELECT d.task_id, d.branch, d.node, d.condition, d.expression FROM durable_listen d
       WHERE c.guard IS NULL AND d.tenant_id = c.tenant_id AND d.event_key = c.event_key AND d.scope = c.scope
         AND (d.task_id, d.branch, d.node, d.condition) > (c.task_id, c.branch, c.node, c.condition) AND d.seq < $11::bigint
       ORDER BY d.task_id, d.branch, d.node, d.condition LIMIT $12::bigint)
    ) l ORDER BY c.event, c.at, l.task_id, l.branch, l.node, l.condition LIMIT $13::bigint`,
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

/** Any that an event which comes now concerns. */
const now = '9223372036854775807';

/**
 * By event, the durable tasks that it concerns: those with a condition that it meets, or whose expression fails on it. Of an
 * expression that begins with an equality, one that fails for want of the field is not among them: of ten thousand of them,
 * each would be read for every event of another kind. Events of which nothing is known are absent.
 */
export async function findListeners<Event extends ComingEvent>(
  client: Sql,
  events: readonly Event[],
  limits: Limits,
): Promise<Map<Event, Concerned>> {
  const found = new Map<Event, Concerned>();
  if (events.length === 0) return found;
  const inputs = events.map((event) => new CelVariables({ input: event.payload }));
  const rows = await read(client, {
    places: events.flatMap((event, at) => placesOf(event, inputs[at]).map((place) => ({ ...place, event: at }))),
    before: now,
    // One more than it may meet: whether there are more is known by that.
    each: limits.rows + 1,
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
    if (variables === undefined || (isCut && at >= last)) continue;
    found.set(event, concernedOf(byEvent.get(at) ?? [], variables, { ...limits, tasks: limits.tasks(event) }));
  }
  return found;
}

/** Of an event of before, those behind a place that listened when it came. */
export async function findPage(
  client: Sql,
  event: ComingEvent,
  page: { after: ListenPlace; seq: number; rows: number; tasks: number },
): Promise<Concerned> {
  const variables = new CelVariables({ input: event.payload });
  const { after, seq, rows: most, tasks } = page;
  const places = placesOf(event, variables)
    .filter(({ at }) => at >= after.at)
    .map((place) => ({ ...place, ...(place.at === after.at ? after : {}), event: 0 }));
  const rows = await read(client, { places, before: String(seq), each: most + 1, together: most + 1 });
  return concernedOf(rows, variables, { rows: most, tasks });
}

interface AskedPlace extends ListenPlace {
  tenantId: string;
  key: string;
  scope: string;
  guard: string | null;
}

function placesOf({ tenantId, key, scope }: ComingEvent, variables: CelVariables | undefined): AskedPlace[] {
  const scopes = scope === null ? [''] : ['', scope];
  return (guardsOf(variables?.values['input']) ?? [null])
    .flatMap((guard) => scopes.map((each) => ({ tenantId, key, scope: each, guard })))
    .map((place, at) => ({ ...firstPlace, ...place, at }));
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
    plainArray(places.map(({ taskId }) => taskId)),
    plainArray(places.map(({ branch }) => branch)),
    plainArray(places.map(({ node }) => node)),
    plainArray(places.map(({ condition }) => condition)),
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
      const { at } = last;
      return {
        listeners,
        next: { at, taskId: last.task_id, branch: last.branch, node: last.node, condition: last.condition },
      };
    }
    if (isMeant) {
      tasks.add(taskId);
      listeners.push({ taskId, branch, node, condition, expression });
    }
    last = row;
  }
  return { listeners, next: null };
}

function concerns(expression: string, variables: CelVariables): boolean {
  if (expression === '') return true;
  // One that is too dear is evaluated elsewhere, with the logs at hand.
  if (!compileCel(expression).isCheap(variables.chars)) return true;
  const { met, why } = holds(expression, variables, undefined);
  return met || why !== undefined;
}
