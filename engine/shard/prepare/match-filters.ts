import { CelVariables } from '../../cel/cel-variables.ts';
import type { Filter } from '../../plan/state/shard-state.ts';
import type { Version } from '../../plan/state/workflow-version.ts';
import type { Owner } from '../owner.ts';

/**
 * The filters of a workflow that let an event start a run: those of the event's exact scope whose expression is true.
 * `undefined` alone for a workflow without filters, which every event of its keys starts.
 */
export async function matchingFilters(
  owner: Pick<Owner, 'stateOf' | 'cel'>,
  version: Version,
  facts: {
    event: { id: string; key: string; scope: string | null; payload: string; metadata: string };
    parsed: Readonly<Record<string, unknown>>;
  },
): Promise<(Filter | undefined)[]> {
  const filters = [...(owner.stateOf(version.tenantId)?.filters.get(version.workflowId)?.values() ?? [])];
  if (filters.length === 0) return [undefined];
  const { event, parsed } = facts;
  const wanting: Filter[] = [];
  for (const filter of filters) {
    if (event.scope === null || filter.scope !== event.scope) continue;
    const { key, id } = event;
    const variables = new CelVariables(
      {
        input: event.payload,
        payload: filter.payload,
        additional_metadata: event.metadata,
        event_key: JSON.stringify(key),
        event_id: JSON.stringify(id),
      },
      parsed,
    );
    const result = await owner.cel.evaluate(version.tenantId, filter.expression, variables);
    if (result.ok && result.value === true) wanting.push(filter);
  }
  return wanting;
}
