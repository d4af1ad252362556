import { formatDuration } from '../model/time/duration.ts';
import { childrenOf } from '../model/topology.ts';
import type { StoredWorkflow } from '../monitor/definition-reads.ts';
import { pauseMessage } from './pause-request.ts';
import { resourceMeta, stepId, storedJson } from './message-fields.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

function versionHead(workflow: StoredWorkflow) {
  return {
    metadata: resourceMeta(workflow.versionId),
    version: String(workflow.ordinal),
    order: workflow.ordinal,
    workflowId: workflow.id,
  };
}

function jobs(workflow: StoredWorkflow, tenantId: TenantId) {
  const { versionId, definition } = workflow;
  if (definition === null) return [];
  const jobId = stepId(versionId, -1);
  const meta = resourceMeta(versionId);
  const ids = definition.steps.map((_, index) => stepId(versionId, index));
  const children = childrenOf(definition.steps.map((step) => step.parents));
  return [
    {
      metadata: { ...meta, id: jobId },
      tenantId,
      versionId,
      name: workflow.name,
      steps: definition.steps.map((step, index) => ({
        metadata: { ...meta, id: ids[index] },
        readableId: step.name,
        tenantId,
        jobId,
        action: step.action,
        timeout: formatDuration(step.executionTimeoutMs),
        isDurable: step.durable,
        slotRequests: step.slots,
        parents: step.parents.map((parent) => ids[parent]),
        children: (children[index] ?? []).map((child) => ids[child]),
      })),
    },
  ];
}

export function workflowMessage(workflow: StoredWorkflow, tenantId: TenantId) {
  return {
    metadata: resourceMeta(workflow.id, workflow.updatedAtMs),
    name: workflow.name,
    description: workflow.definition?.description ?? '',
    isPaused: workflow.pause.paused,
    ...pauseMessage(workflow.pause),
    tenantId,
    versions: [versionHead(workflow)],
    tags: [],
    jobs: jobs(workflow, tenantId),
    leftOut: workflow.definition === null ? { jobs: workflow.definitionBytes } : undefined,
  };
}

export function versionMessage(workflow: StoredWorkflow, tenantId: TenantId) {
  const { definition } = workflow;
  return {
    ...versionHead(workflow),
    defaultPriority: definition?.defaultPriority,
    workflow: workflowMessage(workflow, tenantId),
    jobs: jobs(workflow, tenantId),
    inputJsonSchema:
      typeof definition?.inputJsonSchema === 'string' ? storedJson(definition.inputJsonSchema) : undefined,
  };
}
