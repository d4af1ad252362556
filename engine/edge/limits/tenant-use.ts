import type { ShardState } from '../../plan/state/shard-state.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** What a tenant has in use, from its shard's memory. Each is counted when a call asks for more of it. */
export interface TenantUse {
  workflows(): number;
  /** Characters of all definitions that memory holds, older versions among them. */
  definitionChars(): number;
  filters(): { count: number; chars: number };
  crons(): number;
  schedules(): number;
  rateLimits(): number;
  workers(): number;
  unfinishedTasks(): number;
}

const charsByDefinition = new WeakMap<object, number>();

/** Of a definition, as it is stored. Printed once. */
export function definitionChars(definition: object): number {
  let chars = charsByDefinition.get(definition);
  if (chars === undefined) {
    chars = JSON.stringify(definition).length;
    charsByDefinition.set(definition, chars);
  }
  return chars;
}

function countOf<T extends { tenantId: TenantId }>(items: Iterable<T>, tenantId: TenantId): number {
  let count = 0;
  for (const item of items) if (item.tenantId === tenantId) count++;
  return count;
}

export function tenantUse(state: ShardState, tenantId: TenantId): TenantUse {
  return {
    workflows: () => countOf(state.latest.values(), tenantId),
    definitionChars: () => {
      let chars = 0;
      for (const version of state.versions.values())
        if (version.tenantId === tenantId) chars += definitionChars(version.definition);
      return chars;
    },
    filters: () => {
      let [count, chars] = [0, 0];
      for (const filters of state.filters.values()) {
        for (const { tenantId: owner, scope, expression, payload } of filters.values()) {
          if (owner !== tenantId) continue;
          count++;
          chars += scope.length + expression.length + payload.length;
        }
      }
      return { count, chars };
    },
    crons: () => countOf(state.crons.values(), tenantId),
    schedules: () => countOf(state.schedules.values(), tenantId),
    rateLimits: () => countOf(state.rateLimits.values(), tenantId),
    workers: () => countOf(state.workersById.values(), tenantId),
    unfinishedTasks: () => {
      const { counts, width } = state.tasks.countStates(state.steps.length);
      let tasks = 0;
      for (const [at, { version }] of state.steps.entries())
        if (version.tenantId === tenantId)
          for (let live = 0; live < width; live++) tasks += counts[at * width + live] ?? 0;
      return tasks;
    },
  };
}
