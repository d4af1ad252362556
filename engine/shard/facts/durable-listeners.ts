import type { Sql } from '../../postgres/sql-client.ts';
import { CelVariables } from '../../cel/cel-variables.ts';
import { compileCel } from '../../cel/compile-cel.ts';
import { guardsOf } from '../../cel/equality-guard.ts';
import { plainArray, textArray } from '../../commit/array-literal.ts';
import type { ComingEvent } from '../../plan/commands/kind.ts';
import { holds } from '../../plan/conditions/review-task.ts';

interface ListenSqlRow {
  event: number;
  task_id: string;
  expression: string;
}

export const readListeners = {
  name: 'durable_listeners',
  text: `
    WITH coming AS (SELECT * FROM unnest($1::integer[], $2::uuid[], $3::text[], $4::text[], $5::bigint[]) AS u (event, tenant_id, event_key, scope, guard))
    SELECT c.event, l.task_id, l.expression FROM coming c
    JOIN durable_listen l ON l.tenant_id = c.tenant_id AND l.event_key = c.event_key AND l.scope = c.scope AND l.guard = c.guard
    UNION ALL
    SELECT c.event, l.task_id, l.expression FROM coming c
    JOIN durable_listen l ON l.tenant_id = c.tenant_id AND l.event_key = c.event_key AND l.scope = c.scope
    WHERE c.guard IS NULL`,
};

/**
 * By event, the durable tasks that it concerns and whose logs are needed, if memory lacks them: those with a condition that
 * it meets, or whose expression fails on it. Of an expression that begins with an equality, one that fails for want of the
 * field is not among them: of ten thousand of them, each would be read for every event of another kind.
 */
export async function findListeners<Event extends ComingEvent>(
  client: Sql,
  events: readonly Event[],
): Promise<Map<Event, string[]>> {
  const inputs = events.map((event) => new CelVariables({ input: event.payload }));
  const asked = events.flatMap((event, at) => {
    const scopes = event.scope === null ? [''] : ['', event.scope];
    return (guardsOf(inputs[at]?.values['input']) ?? [null]).flatMap((guard) =>
      scopes.map((scope) => ({ at, tenantId: event.tenantId, key: event.key, scope, guard })),
    );
  });
  const columns = [
    plainArray(asked.map(({ at }) => at)),
    plainArray(asked.map(({ tenantId }) => tenantId)),
    textArray(asked.map(({ key }) => key)),
    textArray(asked.map(({ scope }) => scope)),
    plainArray(asked.map(({ guard }) => guard)),
  ];
  const { rows } = await client.query<ListenSqlRow>({ ...readListeners, values: columns });
  const concerned = new Map<Event, string[]>();
  const known = new Map<string, boolean>();
  for (const { event: at, task_id, expression } of rows) {
    const event = events[at];
    const variables = inputs[at];
    if (event === undefined || variables === undefined) continue;
    const place = `${at} ${expression}`;
    const isMeant = known.get(place) ?? concerns(expression, variables);
    known.set(place, isMeant);
    if (!isMeant) continue;
    const taskIds = concerned.get(event) ?? [];
    concerned.set(event, taskIds);
    taskIds.push(task_id);
  }
  return concerned;
}

function concerns(expression: string, variables: CelVariables): boolean {
  if (expression === '') return true;
  // One that is too dear is evaluated elsewhere, with the logs at hand.
  if (!compileCel(expression).isCheap(variables.chars)) return true;
  const { met, why } = holds(expression, variables, undefined);
  return met || why !== undefined;
}
