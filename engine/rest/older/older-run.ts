import type { OlderRun } from '../../../proto/gen/rest/answers.ts';
import type { RunDetail } from '../../monitor/runs/run-detail.ts';
import { resourceMeta, storedJson } from '../message-fields.ts';
import { runMessage } from '../runs/run-messages.ts';
import { olderStatus } from './older-status.ts';

/**
 * A run in the contract's older form, without its jobs: `runGraph` has them.
 * @param data whether its input was read
 */
export function olderRun(run: RunDetail, { data }: { data: boolean }): OlderRun {
  const { displayName, startedAt, finishedAt, duration, errorMessage, leftOut } = runMessage(run);
  const meta = resourceMeta(run.id);
  return {
    metadata: meta,
    tenantId: run.tenantId,
    workflowVersionId: run.versionId,
    status: olderStatus[run.status],
    displayName,
    triggeredBy: { metadata: meta, parentWorkflowRunId: run.parentTaskId ?? undefined },
    input: data ? storedJson(run.input) : undefined,
    error: errorMessage,
    startedAt,
    finishedAt,
    duration,
    parentStepRunId: run.parentTaskId ?? undefined,
    additionalMetadata: storedJson(run.metadata),
    leftOut,
  };
}
