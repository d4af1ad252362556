import { checkLimit, type Limits } from '../../auth/tenant-limits.ts';
import type { TenantCommand } from '../../plan/commands/command.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';
import { definitionChars, tenantUse, type TenantUse } from './tenant-use.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** An exact count of a million takes milliseconds: it holds for this long. */
const recountMs = 1_000;

/**
 * Refuses commands that would take a tenant over what it may use. A shard's own totals are looked at first: as long as all
 * its tenants together are under the limit, nothing is counted.
 */
export class CommandLimits {
  /** By tenant and limit: what was counted last, with what was let through since. */
  readonly #counted = new Map<string, { used: number; atMs: number }>();

  /** @throws HatchetError LIMIT_REACHED */
  check(limits: Limits, state: ShardState, command: TenantCommand): void {
    const { tenantId } = command;
    const use = (): TenantUse => tenantUse(state, tenantId);
    switch (command.kind) {
      case 'trigger':
        return this.#tasks(tenantId, limits, state, tasksOf(command.runs));
      case 'pushEvent':
        return this.#tasks(
          tenantId,
          limits,
          state,
          command.events.reduce((sum, event) => sum + tasksOf(event.runs.map(({ run }) => run)), 0),
        );
      case 'durableAsk': {
        if (command.ask.kind === 'children')
          this.#tasks(tenantId, limits, state, tasksOf(command.ask.children.map(({ run }) => run)));
        const row = state.tasks.find(command.taskId);
        const task = row === undefined ? undefined : state.durable.task(row);
        if (task === undefined) return; // its first operation since it woke: one that it has asked for before
        const asked = task.delivery.position + (command.ask.kind === 'children' ? command.ask.children.length : 1);
        // Replayed operations are in the log already.
        if (asked > task.log.nodes.length) checkLimit(limits, 'durableNodes', asked);
        return;
      }
      case 'putWorkflow': {
        const { definition, filterIds } = command;
        if (state.latestVersion(tenantId, definition.name) === undefined) {
          checkLimit(limits, 'workflows', use().workflows() + 1);
          if (filterIds.length > 0)
            checkFilters(limits, use(), {
              count: filterIds.length,
              chars: definition.filters.reduce(
                (sum, filter) => sum + filter.scope.length + filter.expression.length + filter.payload.length,
                0,
              ),
            });
        }
        checkLimit(limits, 'crons', use().crons() + command.crons.length);
        return checkLimit(limits, 'definitionChars', use().definitionChars() + definitionChars(definition));
      }
      case 'putFilter': {
        const { id, workflowId, scope, expression, payload } = command.filter;
        const before = state.filters.get(workflowId)?.get(id);
        const chars =
          scope.length +
          expression.length +
          payload.length -
          (before === undefined ? 0 : before.scope.length + before.expression.length + before.payload.length);
        return checkFilters(limits, use(), { count: before === undefined ? 1 : 0, chars });
      }
      case 'putCron':
        return checkLimit(limits, 'crons', use().crons() + 1);
      case 'putSchedules':
        return this.#over(tenantId, 'schedules', {
          limits,
          more: command.schedules.length,
          all: state.schedules.size,
          count: () => use().schedules(),
        });
      case 'putRateLimit':
        return this.#over(tenantId, 'rateLimits', {
          limits,
          more: 1,
          all: state.rateLimits.size,
          count: () => use().rateLimits(),
        });
      case 'registerWorker':
        return this.#over(tenantId, 'workers', {
          limits,
          more: 1,
          all: state.workersById.size,
          count: () => use().workers(),
        });
      default:
        return undefined;
    }
  }

  #tasks(tenantId: TenantId, limits: Limits, state: ShardState, more: number): void {
    this.#over(tenantId, 'unfinishedTasks', {
      limits,
      more,
      all: state.tasks.size,
      count: () => tenantUse(state, tenantId).unfinishedTasks(),
    });
  }

  #over(
    tenantId: TenantId,
    name: 'unfinishedTasks' | 'schedules' | 'rateLimits' | 'workers',
    options: { limits: Limits; more: number; all: number; count: () => number },
  ): void {
    const { limits, more, all, count } = options;
    if (all + more <= limits[name]) return;
    const key = `${tenantId} ${name}`;
    const nowMs = performance.now();
    let counted = this.#counted.get(key);
    if (counted === undefined || nowMs - counted.atMs > recountMs) {
      counted = { used: count(), atMs: nowMs };
      this.#counted.set(key, counted);
    }
    checkLimit(limits, name, counted.used + more);
    counted.used += more;
  }
}

function tasksOf(runs: readonly { taskIds: readonly string[] }[]): number {
  return runs.reduce((sum, run) => sum + run.taskIds.length, 0);
}

function checkFilters(limits: Limits, use: TenantUse, more: { count: number; chars: number }): void {
  const { count, chars } = use.filters();
  checkLimit(limits, 'filters', count + more.count);
  checkLimit(limits, 'filterChars', chars + more.chars);
}
