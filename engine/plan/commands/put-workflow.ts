import type { CronRow } from '../../model/rows.ts';
import type { PutWorkflowCommand, PutWorkflowReply } from './command.ts';
import type { Plan } from '../state/plan.ts';
import { dropCron, setCron } from './plan-timers.ts';
import { setFilter } from './put-filter.ts';
import { versionKey } from '../state/shard-state.ts';

/** An unchanged definition keeps its version; any change makes the next one. Runs in flight stay on theirs. */
export function planPutWorkflow(plan: Plan, command: PutWorkflowCommand): PutWorkflowReply {
  const { state, changes } = plan;
  const { tenantId, definition } = command;
  const latest = state.latestVersion(tenantId, definition.name);
  if (latest?.checksum === command.checksum) return { workflowId: latest.workflowId, versionId: latest.versionId };

  const workflowId = latest?.workflowId ?? command.workflowId;
  const ordinal = (latest?.ordinal ?? 0) + 1;
  if (latest === undefined) changes.workflows.push({ id: workflowId, tenantId, name: definition.name });
  changes.versions.push({
    id: command.versionId,
    workflowId,
    tenantId,
    ordinal,
    checksum: command.checksum,
    definition: JSON.stringify(definition),
  });
  if (latest === undefined) {
    for (const [index, { scope, expression, payload }] of definition.filters.entries())
      setFilter(plan, {
        id: command.filterIds[index] ?? '',
        tenantId,
        workflowId,
        scope,
        expression,
        payload,
        isDeclared: true,
      });
  }
  replaceDeclaredCrons(plan, workflowId, command.crons);
  const version = state.addVersion({
    tenantId,
    workflowId,
    versionId: command.versionId,
    checksum: command.checksum,
    ordinal,
    definition,
  });
  state.undo.record(() => {
    state.dropVersion(version);
    const name = versionKey(tenantId, definition.name);
    if (latest === undefined) state.latest.delete(name);
    else state.latest.set(name, latest);
  });
  return { workflowId, versionId: command.versionId };
}

/** A version's crons are those that it declares; a cron that stays goes on where it is. Those made by the API are left alone. */
function replaceDeclaredCrons(plan: Plan, workflowId: string, declared: readonly CronRow[]): void {
  const { state, changes } = plan;
  const before = [...state.crons.values()].filter((cron) => cron.workflowId === workflowId);
  for (const cron of before) {
    if (!cron.isDeclared) continue;
    dropCron(plan, cron.id);
    changes.cronDeletes.push(cron.id);
  }
  for (const row of declared) {
    if (before.some((cron) => !cron.isDeclared && cron.name === row.name)) continue;
    const old = before.find((each) => each.isDeclared && each.name === row.name);
    const cron: CronRow = {
      ...row,
      workflowId,
      enabled: old?.enabled ?? row.enabled,
      lastUs: old?.lastUs ?? null,
      lastRunId: old?.lastRunId ?? null,
    };
    const { id, tenantId, name, expression, zone, catchUp, enabled, isDeclared, priority, nextUs, lastUs, lastRunId } =
      cron;
    setCron(plan, {
      kind: 'cron',
      id,
      tenantId,
      workflowId,
      dueUs: nextUs,
      name,
      expression,
      zone,
      catchUp,
      enabled,
      isDeclared,
      priority,
      lastUs,
      lastRunId,
      lastError: null,
    });
    changes.crons.push(cron);
  }
}
