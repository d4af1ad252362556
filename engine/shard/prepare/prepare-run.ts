import { HatchetError } from '../../base/errors.ts';
import { checkedMetadata } from '../../model/payload/check-payload.ts';
import { newId, parseUuid } from '../../model/ids/uuid.ts';
import type { DesiredLabel } from '../../model/definition.ts';
import type { RunPlacement } from '../../model/task/demands.ts';
import type { TriggerRun } from '../../model/task/trigger-run.ts';
import { childIds, liveParent } from './child-ids.ts';
import { desiredWorker } from './desired-worker.ts';
import { asksAnything, evaluateDemands } from './evaluate-demands.ts';
import { idempotencyOf } from './idempotency-key.ts';
import { markChecked, type Checked } from '../../model/checked.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';
import type { Owner } from '../owner.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

const noIds: readonly string[] = [];

/** What preparing a run asks of the owner. */
export type RunPorts = Pick<Owner, 'stateOf' | 'served' | 'cel' | 'payloads'>;

/** A run as any of the triggering calls asks for it. */
export interface TriggerRequest {
  workflowName: string;
  input: string;
  metadata: string;
  priority: number | undefined;
  parentTaskId?: string | undefined;
  childIndex?: number | undefined;
  childKey?: Checked<string> | undefined;
  /** Chosen by the caller, so that the call can be repeated. */
  runId?: string | undefined;
  /** No run can have that id yet: it is not looked up. */
  isNew?: boolean;
  /** The parent's worker, for a child of a sticky workflow. */
  desiredWorkerId?: string | undefined;
  /** Laid over the steps' labels. */
  labels?: readonly DesiredLabel[];
  /** JSON object: the payload of the filter that lets an event start it. */
  filterPayload?: string | undefined;
}

/**
 * The run that the planner shall make: workflow resolved to its newest version, payloads checked, ids minted, expressions evaluated.
 * At once, where nothing has to be waited for: no long payload, no expression.
 * @throws HatchetError UNKNOWN_WORKFLOW, INVALID_ARGUMENT, PAYLOAD_TOO_LARGE, NOT_OWNER, STOPPING; the promise is rejected alike
 */
export function prepareRun(
  owner: RunPorts,
  tenantId: TenantId,
  request: TriggerRequest,
): Checked<TriggerRun> | Promise<Checked<TriggerRun>> {
  const input = request.input === '' ? '{}' : request.input;
  const checking = owner.payloads.check(tenantId, input, 'the input');
  const state = owner.stateOf(tenantId);
  if (checking === undefined && state !== undefined) return prepareChecked(owner, state, { tenantId, request, input });
  return (async () => {
    await checking;
    const served = owner.stateOf(tenantId) ?? (await owner.served(tenantId));
    return prepareChecked(owner, served, { tenantId, request, input });
  })();
}

/** @param given.input in place of the request's, checked */
function prepareChecked(
  owner: RunPorts,
  state: ShardState,
  { tenantId, request, input }: { tenantId: TenantId; request: TriggerRequest; input: string },
): Checked<TriggerRun> | Promise<Checked<TriggerRun>> {
  const metadata = checkedMetadata(request.metadata);
  const version = state.latestVersion(tenantId, request.workflowName);
  if (version === undefined) {
    throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${JSON.stringify(request.workflowName)}`, {
      remedy: 'Start a worker that registers it, or check the name.',
    });
  }
  const priority = request.priority ?? version.definition.defaultPriority;
  if (!Number.isInteger(priority) || priority < 1 || priority > 3)
    throw new HatchetError('INVALID_ARGUMENT', `the priority is ${priority}`, { remedy: 'Choose 1, 2 or 3.' });
  const parentTaskId =
    request.parentTaskId === undefined || request.parentTaskId === '' ? undefined : parseUuid(request.parentTaskId);
  const parent = parentTaskId === undefined ? undefined : liveParent(owner, tenantId, parentTaskId);
  const [child, ...earlierIds] = parent === undefined ? noIds : childIds(parent, { ...request, input });
  const runId = child ?? request.runId ?? newId();
  const { steps } = version.definition;
  const desiredWorkerId = desiredWorker(version, request.desiredWorkerId);
  const labels = request.labels ?? [];
  const placement: RunPlacement = { labels, desiredWorkerId };
  const filterPayload = request.filterPayload ?? null;
  const run: TriggerRun = {
    runId,
    taskIds: steps.length === 1 ? [runId] : steps.map(() => newId()),
    versionId: version.versionId,
    input,
    metadata,
    priority,
    parentTaskId: parentTaskId ?? null,
    childIndex: request.childIndex ?? null,
    childKey: request.childKey ?? null,
    filterPayload,
    placement: labels.length === 0 && desiredWorkerId === null ? null : JSON.stringify(placement),
    ownId: child !== undefined || (request.runId !== undefined && request.isNew !== true),
    earlierIds,
    idempotency: null,
    demands: null,
  };
  if (version.definition.idempotency === null && !asksAnything(version, placement)) return markChecked(run);
  return (async () =>
    markChecked({
      ...run,
      idempotency: await idempotencyOf(owner, version, { input, metadata }),
      demands: await evaluateDemands(owner.cel.of(tenantId), version, {
        runId,
        input,
        metadata,
        filterPayload,
        ...placement,
      }),
    }))();
}
