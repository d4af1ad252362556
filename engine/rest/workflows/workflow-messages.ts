import type { Job, VersionHead, Workflow, WorkflowVersion } from '../../../proto/gen/rest/answers.ts';
import { formatDuration } from '../../model/time/duration.ts';
import { childrenOf } from '../../model/topology.ts';
import type { StoredWorkflow } from '../../monitor/definition-reads.ts';
import { pauseMessage } from './pause-request.ts';
import { resourceMeta, shownPriority, stepId, stepIds, storedJson } from '../message-fields.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

function versionHead(workflow: StoredWorkflow): VersionHead {
  return {
    metadata: resourceMeta(workflow.versionId),
    version: String(workflow.ordinal),
    order: workflow.ordinal,
    workflowId: workflow.id,
  };
}

function jobs(workflow: StoredWorkflow, tenantId: TenantId): Job[] {
  const { versionId, definition } = workflow;
  if (definition === null) return [];
  const jobId = stepId(versionId, -1);
  const meta = resourceMeta(versionId);
  const idOf = stepIds(versionId);
  const children = childrenOf(definition.steps.map((step) => step.parents));
  return [
    {
      metadata: { ...meta, id: jobId },
      tenantId,
      versionId,
      name: workflow.name,
      steps: definition.steps.map((step, index) => ({
        metadata: { ...meta, id: idOf(index) },
        readableId: step.name,
        tenantId,
        jobId,
        action: step.action,
        timeout: formatDuration(step.executionTimeoutMs),
        isDurable: step.durable,
        slotRequests: step.slots,
        parents: step.parents.map(idOf),
        children: (children[index] ?? []).map(idOf),
      })),
    },
  ];
}

export function workflowMessage(workflow: StoredWorkflow, tenantId: TenantId): Workflow {
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

export function versionMessage(workflow: StoredWorkflow, tenantId: TenantId): WorkflowVersion {
  const { definition } = workflow;
  return {
    ...versionHead(workflow),
    defaultPriority: shownPriority(definition?.defaultPriority),
    workflow: workflowMessage(workflow, tenantId),
    jobs: jobs(workflow, tenantId),
    inputJsonSchema:
      typeof definition?.inputJsonSchema === 'string' ? storedJson(definition.inputJsonSchema) : undefined,
  };
}
