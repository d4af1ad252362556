import type { Pool } from 'pg';
import { HatchetError } from '../errors.ts';
import { toldError } from '../model/split-error.ts';
import { RunStatus as Status } from '../model/status.ts';
import { maxRunBytes } from '../model/limits.ts';
import { newId, parseUuid } from '../model/uuid.ts';
import { readTasksAlone, readWithin } from '../monitor/answers-in-flight.ts';
import { replayByFilter } from '../monitor/replay-selection.ts';
import { cancelByFilter } from '../monitor/run-selection.ts';
import { payloadSize, readRunDetail, type RunDetail } from '../monitor/run-detail.ts';
import type { Owner } from '../shard/owner.ts';
import { replayIds } from '../shard/replay-ids.ts';
import { branchTask } from '../shard/branch-task.ts';
import { prepareRun } from '../shard/prepare-run.ts';
import { AdminServiceService, RunStatus, type AdminServiceServer, type GetRunDetailsResponse } from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { refuseCollisions } from './collision.ts';
import { declaredCrons } from './definition-crons.ts';
import { readDefinition } from './definition-request.ts';
import { readDesiredLabels } from './desired-labels.ts';
import { unary, type Edge } from './handlers.ts';
import { runIdsFrom } from './run-trigger.ts';
import type { GrpcService } from './server.ts';

export interface AdminDeps extends Edge {
  owner: Owner;
  pool: Pool;
}

export function adminService(deps: AdminDeps): GrpcService {
  const { owner, pool } = deps;
  const implementation: AdminServiceServer = {
    putWorkflow: unary(deps, async (request, { tenantId }) => {
      const { definition, checksum } = await readDefinition(request, owner.cel);
      const workflowId = newId();
      const crons = declaredCrons(definition, { tenantId, workflowId, nowMs: owner.nowUs / 1000 });
      const reply = await owner.submit(tenantId, { kind: 'putWorkflow', tenantId, definition, checksum, workflowId, crons, versionId: newId(), filterIds: definition.filters.map(() => newId()) });
      return { id: reply.versionId, workflowId: reply.workflowId };
    }),
    triggerWorkflowRun: unary(deps, async (request, { tenantId }, metadata) => {
      const [runId] = runIdsFrom(metadata, 1);
      const labels = readDesiredLabels(request.desiredWorkerLabels, 'of the run');
      const run = await prepareRun(owner, tenantId, { workflowName: request.workflowName, input: text(request.input), metadata: text(request.additionalMetadata), priority: request.priority, runId, labels });
      const { runIds, collisions } = await owner.submit(tenantId, { kind: 'trigger', tenantId, runs: [run], existing: new Set() });
      refuseCollisions(collisions, runIds, false);
      return { externalId: run.runId };
    }),
    cancelTasks: unary(deps, async (request, { tenantId }) => {
      const { filter } = request;
      const ids = request.externalIds.map((id) => parseUuid(id)).filter((id) => id !== undefined);
      const cancelled = ids.length === 0 ? [] : [...(await owner.submit(tenantId, { kind: 'cancel', tenantId, ids })).cancelled];
      if (filter !== undefined) cancelled.push(...(await cancelByFilter({ owner, pool }, tenantId, filter)));
      return { cancelledTasks: cancelled };
    }),
    getRunDetails: unary(deps, async (request, { tenantId }) => {
      const id = parseUuid(request.externalId);
      const held = await readWithin(maxRunBytes, async (bytes) => {
        const detail = id === undefined ? undefined : await readRunDetail(pool, tenantId, id, { bytes, data: true });
        if (detail === undefined) throw new HatchetError('UNKNOWN_RUN', `there is no run ${JSON.stringify(request.externalId)}`, { remedy: 'Check the id.' });
        return { value: detail, ...payloadSize([detail]) };
      });
      return held.whole(`run ${request.externalId}`, readTasksAlone).map(runDetails);
    }),
    replayTasks: unary(deps, async (request, { tenantId }) => {
      const { filter } = request;
      const ids = request.externalIds.map((id) => parseUuid(id)).filter((id) => id !== undefined);
      const replayed = ids.length === 0 ? [] : [...(await replayIds(owner, tenantId, ids))];
      if (filter !== undefined) replayed.push(...(await replayByFilter({ pool, replay: (found) => replayIds(owner, tenantId, found) }, tenantId, filter)));
      return { replayedTasks: replayed };
    }),
    branchDurableTask: unary(deps, async (request, { tenantId }) => {
      const taskId = parseUuid(request.taskExternalId);
      if (taskId === undefined) throw new HatchetError('UNKNOWN_RUN', `there is no task run ${JSON.stringify(request.taskExternalId)}`, { remedy: 'Check the id.' });
      const { branch, node } = await branchTask(owner, { tenantId, taskId, branch: Number(request.branchId), node: Number(request.nodeId) });
      return { taskExternalId: taskId, nodeId: BigInt(node), branchId: BigInt(branch) };
    }),
  };
  return { definition: AdminServiceService, implementation };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

const wireStatus = {
  [Status.Queued]: RunStatus.QUEUED,
  [Status.Running]: RunStatus.RUNNING,
  [Status.Completed]: RunStatus.COMPLETED,
  [Status.Failed]: RunStatus.FAILED,
  [Status.Cancelled]: RunStatus.CANCELLED,
  // Python's SDK does not know EVICTED, and raises; `isEvicted` says it.
  [Status.Evicted]: RunStatus.RUNNING,
} as const;

function runDetails(detail: RunDetail): GetRunDetailsResponse {
  const done = detail.status === Status.Completed || detail.status === Status.Failed || detail.status === Status.Cancelled;
  return {
    input: Buffer.from(detail.input),
    status: wireStatus[detail.status],
    taskRuns: Object.fromEntries(
      detail.tasks.map((task) => [
        task.name,
        {
          externalId: task.id,
          readableId: task.name,
          status: wireStatus[task.status],
          error: task.error === null ? undefined : toldError(task.error),
          output: task.output === null ? undefined : Buffer.from(task.output),
          isEvicted: task.status === Status.Evicted,
        },
      ]),
    ),
    done,
    additionalMetadata: Buffer.from(detail.metadata),
    isEvicted: detail.tasks.some((task) => task.status === Status.Evicted),
  };
}
