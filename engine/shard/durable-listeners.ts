import type { ClientBase } from 'pg';
import { compileCel } from '../cel/compile-cel.ts';
import { equalityGuards, guardedValue, isRuledOut, type EqualityGuard } from '../cel/equality-guard.ts';
import { holds } from '../plan/review-task.ts';

export interface ComingEvent {
  tenantId: string;
  key: string;
  scope: string | null;
  /** JSON. */
  payload: string;
}

interface ListenSqlRow {
  task_id: string;
  tenant_id: string;
  event_key: string;
  scope: string | null;
  expression: string;
}

const readListeners = {
  name: 'durable_listeners',
  text: `
    WITH coming AS MATERIALIZED (SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u (tenant_id, event_key, scope))
    SELECT l.task_id, l.tenant_id, l.event_key, l.scope, l.expression FROM (SELECT DISTINCT tenant_id, event_key FROM coming) c
    JOIN durable_listen l ON l.tenant_id = c.tenant_id AND l.event_key = c.event_key AND l.scope IS NULL
    UNION ALL
    SELECT l.task_id, l.tenant_id, l.event_key, l.scope, l.expression FROM (SELECT DISTINCT * FROM coming WHERE scope IS NOT NULL) c
    JOIN durable_listen l ON l.tenant_id = c.tenant_id AND l.event_key = c.event_key AND l.scope = c.scope`,
};

/** By event, the durable tasks that it may concern: their logs are needed, whether in memory or not. */
export async function findListeners<Event extends ComingEvent>(client: ClientBase, events: readonly Event[]): Promise<Map<Event, string[]>> {
  const { rows } = await client.query<ListenSqlRow>({ ...readListeners, values: [events.map(({ tenantId }) => tenantId), events.map(({ key }) => key), events.map(({ scope }) => scope)] });
  const listeners = new Map<string, Listeners>();
  let there = new Listeners();
  let last: ListenSqlRow | undefined;
  for (const row of rows) {
    // Thousands of one key come one after the other.
    if (row.event_key !== last?.event_key || row.scope !== last.scope || row.tenant_id !== last.tenant_id) there = entry(listeners, placeOf(row.tenant_id, row.event_key, row.scope), () => new Listeners());
    last = row;
    there.add(row.task_id, row.expression);
  }
  return new Map(
    events.map((event) => {
      const scopes = event.scope === null ? [null] : [null, event.scope];
      const heard = scopes.flatMap((scope) => listeners.get(placeOf(event.tenantId, event.key, scope)) ?? []);
      const input: unknown = heard.length === 0 ? null : JSON.parse(event.payload);
      return [event, heard.flatMap((each) => each.concerned(input))];
    }),
  );
}

function placeOf(tenantId: string, key: string, scope: string | null): string {
  return JSON.stringify([tenantId, key, scope]);
}

/** An expression with the tasks whose conditions have it. */
interface Listening {
  readonly expression: string;
  readonly guards: readonly EqualityGuard[];
  readonly taskIds: string[];
}

/** By value, what begins with an equality to it. */
type ByValue = Map<string | number | boolean, Listening[]>;

/** Those that listen for one key and scope. */
export class Listeners {
  readonly #byExpression = new Map<string, Listening>();
  readonly #unguarded: Listening[] = [];
  /** By path and by type. */
  readonly #guarded = new Map<string, { path: readonly string[]; types: Map<string, ByValue> }>();

  add(taskId: string, expression: string): void {
    const known = this.#byExpression.get(expression);
    if (known !== undefined) return void known.taskIds.push(taskId);
    const listening = { expression, guards: equalityGuards(expression), taskIds: [taskId] };
    this.#byExpression.set(expression, listening);
    const [first] = listening.guards;
    if (first === undefined) return void this.#unguarded.push(listening);
    const { types } = entry(this.#guarded, first.path.join('.'), () => ({ path: first.path, types: new Map<string, ByValue>() }));
    const byValue = entry(types, typeof first.value, (): ByValue => new Map());
    entry(byValue, first.value, () => []).push(listening);
  }

  /** Tasks whose condition the event meets, or whose expression fails on it: somebody is told of that. */
  concerned(input: unknown): string[] {
    return this.#candidates(input).flatMap((listening) => (!isRuledOut(listening.guards, input) && concerns(listening.expression, input) ? listening.taskIds : []));
  }

  /** Without those whose first equality rules them out. */
  #candidates(input: unknown): Listening[] {
    const candidates = [this.#unguarded];
    for (const { path, types } of this.#guarded.values()) {
      const value = guardedValue(input, path);
      for (const [type, byValue] of types) {
        if (value === undefined || type !== typeof value) candidates.push(...byValue.values());
        else candidates.push(byValue.get(value) ?? []);
      }
    }
    return candidates.flat();
  }
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const there = map.get(key) ?? make();
  map.set(key, there);
  return there;
}

function concerns(expression: string, input: unknown): boolean {
  if (expression === '') return true;
  // One that loops is evaluated elsewhere, with the logs at hand.
  if (compileCel(expression).heavy) return true;
  const { met, why } = holds(expression, { input }, undefined);
  return met || why !== undefined;
}
