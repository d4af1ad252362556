import type { RunGraph } from '../../../proto/gen/rest/answers.ts';
import { splitError } from '../../model/payload/split-error.ts';
import { parentPlaces } from '../../model/topology.ts';
import type { RunDetail } from '../../monitor/runs/run-detail.ts';
import { isoUs, resourceMeta, stepId, stepIds, storedJson } from '../message-fields.ts';
import { olderStatus } from './older-status.ts';

/**
 * A run in the contract's older form: one job whose steps are the tasks. SDKs read results here
 * that were too large for their subscription.
 */
export function runGraph(run: RunDetail): RunGraph {
  const { tenantId, versionId } = run;
  const jobId = stepId(versionId, -1);
  const meta = resourceMeta(run.id);
  const idOf = stepIds(versionId);
  const parents = parentPlaces(run.tasks);
  return {
    metadata: meta,
    tenantId,
    workflowId: run.workflowId,
    workflowVersionId: versionId,
    status: olderStatus[run.status],
    displayName: run.workflowName,
    triggeredBy: { metadata: meta, parentWorkflowRunId: run.parentTaskId ?? undefined },
    input: storedJson(run.input),
    additionalMetadata: storedJson(run.metadata),
    finishedAt: isoUs(run.finishedUs),
    jobRuns: [
      {
        metadata: meta,
        tenantId,
        workflowRunId: run.id,
        jobId,
        status: olderStatus[run.status],
        finishedAt: isoUs(run.finishedUs),
        job: {
          metadata: { ...meta, id: jobId },
          tenantId,
          versionId,
          name: run.workflowName,
          steps: run.tasks.map((task, step) => ({
            metadata: { ...meta, id: idOf(step) },
            readableId: task.name,
            tenantId,
            jobId,
            action: task.action,
            isDurable: task.durable,
            parents: (parents[step] ?? []).map(idOf),
          })),
        },
        stepRuns: run.tasks.map((task, step) => ({
          metadata: resourceMeta(task.id),
          tenantId,
          jobRunId: run.id,
          stepId: idOf(step),
          workerId: task.workerId ?? undefined,
          output: task.output ?? undefined,
          status: olderStatus[task.status],
          error: splitError(task.error).message,
          startedAt: isoUs(task.startedUs),
          finishedAt: isoUs(task.finishedUs),
        })),
      },
    ],
  };
}
