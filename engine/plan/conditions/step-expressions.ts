import type { ShardState } from '../state/shard-state.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** The expressions that steps of a tenant may ask about an event of the key. */
export function stepExpressions(state: ShardState, tenantId: TenantId, key: string): Set<string> {
  const expressions = new Set<string>();
  for (const { version, definition } of state.steps) {
    if (version.tenantId !== tenantId) continue;
    for (const condition of definition.conditions)
      if (condition.kind === 'event' && condition.eventKey === key && condition.expression !== '')
        expressions.add(condition.expression);
  }
  return expressions;
}
