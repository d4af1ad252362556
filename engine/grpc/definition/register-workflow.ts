import type { Caller } from '../../edge/access/caller.ts';
import type { Commands } from '../../edge/parsed-commands.ts';
import { newId } from '../../model/ids/uuid.ts';
import type { CreateWorkflowVersionRequest } from '../../../proto/gen/hatchet/contract/v1/workflows.ts';
import { declaredCrons } from './crons.ts';
import { readDefinition } from './read-definition.ts';

/** An unchanged definition keeps its version. @throws HatchetError INVALID_ARGUMENT */
export async function registerWorkflow(
  owner: Commands,
  caller: Caller,
  request: CreateWorkflowVersionRequest,
): Promise<{ workflowId: string; versionId: string }> {
  const { tenantId } = caller;
  const { definition, checksum } = await readDefinition(request, owner.cel.of(tenantId));
  const workflowId = newId();
  const reply = await owner.submit({
    kind: 'putWorkflow',
    tenantId,
    definition,
    checksum,
    workflowId,
    crons: declaredCrons(definition, { workflowId, nowMs: owner.nowUs / 1000 }),
    versionId: newId(),
    filterIds: definition.filters.map(() => newId()),
  });
  caller.note(reply.workflowId, reply.versionId);
  return reply;
}
