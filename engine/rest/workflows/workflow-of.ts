import { HatchetError } from '../../base/errors.ts';
import { parseUuid } from '../../model/ids/uuid.ts';
import type { Version } from '../../plan/state/workflow-version.ts';
import type { Commands } from '../../edge/parsed-commands.ts';
import { quoted } from '../../edge/parse/invalid.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** The newest version of a workflow, by its id or its name. @throws HatchetError UNKNOWN_WORKFLOW */
export async function workflowOf(owner: Commands, tenantId: TenantId, given: string): Promise<Version> {
  const state = await owner.served(tenantId);
  const id = parseUuid(given);
  const version = id === undefined ? state.latestVersion(tenantId, given) : state.latest.ofWorkflow(id);
  if (version === undefined || version.tenantId !== tenantId)
    throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${quoted(given)}`, {
      remedy: 'Start a worker that registers it, or check the name.',
    });
  return version;
}
