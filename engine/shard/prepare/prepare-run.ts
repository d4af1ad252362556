import { createHash } from 'node:crypto';
import { CelVariables } from '../../cel/cel-variables.ts';
import { HatchetError } from '../../base/errors.ts';
import { firstBranch } from '../../model/durable/durable.ts';
import { checkedMetadata } from '../../model/payload/payload.ts';
import { unstorable } from '../../model/payload/storable-text.ts';
import { newId, parseUuid } from '../../model/ids/uuid.ts';
import type { DesiredLabel } from '../../model/definition.ts';
import type { RunPlacement } from '../../model/task/demands.ts';
import type { Version } from '../../plan/state/workflow-version.ts';
import type { TriggerRun } from '../../model/task/trigger-run.ts';
import { evaluateDemands } from './evaluate-demands.ts';
import { markChecked, type Checked } from '../../model/checked.ts';
import type { Owner } from '../owner.ts';

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
  /** The parent's worker, for a child of a sticky workflow. */
  desiredWorkerId?: string | undefined;
  /** Laid over the steps' labels. */
  labels?: readonly DesiredLabel[];
  /** JSON object: the payload of the filter that lets an event start it. */
  filterPayload?: string | undefined;
}

/**
 * The run that the planner shall make: workflow resolved to its newest version, payloads checked, ids minted, expressions evaluated.
 * @throws HatchetError UNKNOWN_WORKFLOW, INVALID_ARGUMENT, PAYLOAD_TOO_LARGE, NOT_OWNER, STOPPING
 */
export async function prepareRun(
  owner: RunPorts,
  tenantId: string,
  request: TriggerRequest,
): Promise<Checked<TriggerRun>> {
  const input = request.input === '' ? '{}' : request.input;
  const checking = owner.payloads.check(tenantId, input, 'the input');
  if (checking !== undefined) await checking;
  const metadata = checkedMetadata(request.metadata);
  const state = owner.stateOf(tenantId) ?? (await owner.served(tenantId));
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
  const [child, ...earlierIds] = parent === undefined ? [] : childIds(parent, { ...request, input });
  const runId = child ?? request.runId ?? newId();
  const { steps } = version.definition;
  const desiredWorkerId = parseUuid(request.desiredWorkerId ?? '') ?? null;
  if (desiredWorkerId !== null && version.definition.sticky === null) {
    throw new HatchetError(
      'INVALID_ARGUMENT',
      `workflow ${version.definition.name} has no sticky strategy, so a run of it cannot keep to a worker`,
      { remedy: 'Give the workflow a sticky strategy, or leave sticky out of the call.' },
    );
  }
  const placement: RunPlacement = { labels: request.labels ?? [], desiredWorkerId };
  return markChecked({
    runId,
    taskIds: steps.length === 1 ? [runId] : steps.map(() => newId()),
    versionId: version.versionId,
    input,
    metadata,
    priority,
    parentTaskId: parentTaskId ?? null,
    childIndex: request.childIndex ?? null,
    childKey: request.childKey ?? null,
    filterPayload: request.filterPayload ?? null,
    placement: placement.labels.length === 0 && desiredWorkerId === null ? null : JSON.stringify(placement),
    idempotency: await idempotencyOf(owner, version, { input, metadata }),
    ownId: child !== undefined || request.runId !== undefined,
    earlierIds,
    demands: await evaluateDemands(owner.cel.of(tenantId), version, {
      runId,
      input,
      metadata,
      filterPayload: request.filterPayload ?? null,
      ...placement,
    }),
  });
}

const longestKey = 1000;

/** @throws HatchetError INVALID_ARGUMENT where the workflow's expression gives no key */
async function idempotencyOf(
  owner: RunPorts,
  version: Version,
  payload: { input: string; metadata: string },
): Promise<TriggerRun['idempotency']> {
  const rule = version.definition.idempotency;
  if (rule === null) return null;
  const result = await owner.cel.evaluate(
    version.tenantId,
    rule.expression,
    new CelVariables({ input: payload.input, additional_metadata: payload.metadata }),
  );
  const why = result.ok
    ? `gives ${JSON.stringify(result.value).slice(0, 100)}, not a text of 1 to ${longestKey} characters`
    : `failed: ${result.message}`;
  if (
    !result.ok ||
    typeof result.value !== 'string' ||
    result.value === '' ||
    result.value.length > longestKey ||
    unstorable(result.value) !== undefined
  ) {
    throw new HatchetError(
      'INVALID_ARGUMENT',
      `the idempotency expression ${JSON.stringify(rule.expression)} of workflow ${version.definition.name} ${why}`,
      { remedy: 'Send what the expression reads.' },
    );
  }
  return { key: result.value, ttlUs: rule.ttlMs * 1000, byStatus: rule.method === 'STATUS' };
}

/** What tells a child from its siblings; undefined for one that is made anew each time. */
export function childName({
  childKey,
  childIndex,
}: Pick<TriggerRequest, 'childKey' | 'childIndex'>): string | undefined {
  if (childKey === undefined && childIndex === undefined) return undefined;
  return childKey === undefined ? `index ${childIndex}` : `key ${childKey}`;
}

interface Parent {
  taskId: string;
  /** Of a durable task's log. */
  branch: number;
  attempt: number;
  durable: boolean;
}

/** A child is spawned by a task that runs. Under any other parent it is a run like all others, and is made anew each time. */
function liveParent(owner: RunPorts, tenantId: string, taskId: string): Parent | undefined {
  const state = owner.stateOf(tenantId);
  const row = state?.tasks.find(taskId);
  if (state === undefined || row === undefined) return undefined;
  const { version, definition } = state.stepOf(row);
  if (version.tenantId !== tenantId) return undefined;
  return {
    taskId,
    branch: state.durable.branchOf(row),
    attempt: state.tasks.attempt[row] ?? 0,
    durable: definition.durable,
  };
}

/** A parent that has been tried more often finds the children of its last attempts. */
const mostAttempts = 1000;

/**
 * A child's id follows from its parent, its key or index, its workflow and its input, so that a retried parent that asks for
 * the same gets the same child. It carries its parent's date, and with it the day whose partitions its rows go to.
 * @returns the id that this attempt of its parent gives it, then those of the attempts before, newest first; none for one that
 * is made anew each time
 */
function childIds(parent: Parent, request: TriggerRequest): string[] {
  const name = childName(request);
  if (name === undefined) return [];
  const { taskId, branch, attempt, durable } = parent;
  const input = createHash('sha256').update(request.input).digest('hex');
  const idOf = (given: number): string => {
    // What a durable task spawns on a new branch are new children.
    const hash = createHash('sha256')
      .update(JSON.stringify([taskId, branch === firstBranch ? 0 : branch, given, name, request.workflowName, input]))
      .digest('hex');
    return `${taskId.slice(0, 14)}7${hash.slice(0, 3)}-8${hash.slice(3, 6)}-${hash.slice(6, 18)}`;
  };
  // A durable task's log holds its children over all attempts.
  if (durable) return [idOf(0)];
  return Array.from({ length: Math.min(attempt + 1, mostAttempts) }, (_, back) => idOf(attempt - back));
}
