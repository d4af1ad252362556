import type { PutWorkflowCommand, PutWorkflowReply } from './command.ts';
import type { Plan } from './plan.ts';
import { setFilter } from './put-filter.ts';
import { versionKey } from './shard-state.ts';

/** An unchanged definition keeps its version; any change makes the next one. Runs in flight stay on theirs. */
export function planPutWorkflow(plan: Plan, command: PutWorkflowCommand): PutWorkflowReply {
  const { state, changes } = plan;
  const { tenantId, definition } = command;
  const latest = state.latestVersion(tenantId, definition.name);
  if (latest?.checksum === command.checksum) return { workflowId: latest.workflowId, versionId: latest.versionId };

  const workflowId = latest?.workflowId ?? command.workflowId;
  const ordinal = (latest?.ordinal ?? 0) + 1;
  if (latest === undefined) changes.workflows.push({ id: workflowId, tenantId, name: definition.name });
  changes.versions.push({ id: command.versionId, workflowId, tenantId, ordinal, checksum: command.checksum, definition: JSON.stringify(definition) });
  if (latest === undefined) {
    for (const [index, { scope, expression, payload }] of definition.filters.entries()) setFilter(plan, { id: command.filterIds[index] ?? '', tenantId, workflowId, scope, expression, payload, isDeclared: true });
  }
  const version = state.addVersion({ tenantId, workflowId, versionId: command.versionId, checksum: command.checksum, ordinal, definition });
  state.undo.record(() => {
    state.steps.length = version.firstStep;
    state.versions.delete(version.versionId);
    const name = versionKey(tenantId, definition.name);
    if (latest === undefined) state.latest.delete(name);
    else state.latest.set(name, latest);
  });
  return { workflowId, versionId: command.versionId };
}
