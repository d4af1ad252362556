import { text } from '../../edge/parse/text.ts';
import type { TriggerRequest } from '../../shard/prepare/prepare-run.ts';
import type { TriggerWorkflowRequest } from '../../../proto/gen/hatchet/contract/v1/trigger.ts';
import { readDesiredLabels } from '../definition/desired-labels.ts';

/** A trigger in the engine's own words; what it brings is checked when its run is prepared. @throws HatchetError INVALID_ARGUMENT */
export function triggerRequest(
  request: TriggerWorkflowRequest,
  { runId, isNew = false }: Pick<TriggerRequest, 'runId' | 'isNew'>,
): TriggerRequest {
  return {
    runId,
    isNew,
    workflowName: request.name,
    input: request.input,
    metadata: request.additionalMetadata ?? '',
    priority: request.priority,
    parentTaskId: request.parentTaskRunExternalId,
    childIndex: request.childIndex,
    childKey: request.childKey === undefined ? undefined : text(request.childKey, "the child's key"),
    desiredWorkerId: request.desiredWorkerId,
    labels: readDesiredLabels(request.desiredWorkerLabels, 'of the run'),
  };
}
