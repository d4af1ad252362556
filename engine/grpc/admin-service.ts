import type { Pool } from 'pg';
import type { Commands } from '../edge/parsed-commands.ts';
import { ids, knownId } from '../edge/parse/id.ts';
import { atMost } from '../edge/parse/list.ts';
import { largestInteger, wholeNumber } from '../edge/parse/number.ts';
import { selection } from '../edge/parse/selection.ts';
import { toldError } from '../model/payload/split-error.ts';
import { RunStatus as Status } from '../model/task/status.ts';
import { maxRunBytes } from '../model/limits.ts';
import { newId } from '../model/ids/uuid.ts';
import { readTasksAlone, readWithin } from '../monitor/budget/answers-in-flight.ts';
import { replayByFilter } from '../bulk/replay-selection.ts';
import { cancelByFilter } from '../bulk/cancel-selection.ts';
import { payloadSize, readRunDetail, type RunDetail } from '../monitor/runs/run-detail.ts';
import { cancelIds } from '../bulk/cancel-ids.ts';
import { replayIds } from '../bulk/replay-ids.ts';
import { branchTask } from '../shard/prepare/branch-task.ts';
import { prepareRun } from '../shard/prepare/prepare-run.ts';
import {
  AdminServiceService,
  RunStatus,
  type GetRunDetailsResponse,
} from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { refuseCollisions } from './collision.ts';
import { declaredCrons } from './definition/crons.ts';
import { readDefinition } from './definition/read-definition.ts';
import { readDesiredLabels } from './definition/desired-labels.ts';
import type { Edge } from './edge.ts';
import * as byLink from './by-link/linked-calls.ts';
import { serve, type Handlers } from './handlers.ts';
import { unknownRun } from './runs/run-filter.ts';
import { runIdsFrom } from './runs/run-ids-header.ts';
import { utf8 } from './utf8.ts';
import type { GrpcService } from './grpc-server.ts';

export interface AdminDeps extends Edge {
  owner: Commands;
  pool: Pool;
}

/** Ids of one call to cancel or replay. */
const mostIds = 100_000;

export function adminService(deps: AdminDeps): GrpcService {
  return serve(deps, AdminServiceService, handlers(deps), { triggerWorkflowRun: byLink.triggerRun });
}

function handlers(deps: AdminDeps): Handlers<typeof AdminServiceService> {
  const { owner, pool } = deps;
  return {
    putWorkflow: async (request, caller) => {
      const { tenantId } = caller;
      const { definition, checksum } = await readDefinition(request, owner.cel.of(tenantId));
      const workflowId = newId();
      const crons = declaredCrons(definition, { workflowId, nowMs: owner.nowUs / 1000 });
      const reply = await owner.submit({
        kind: 'putWorkflow',
        tenantId,
        definition,
        checksum,
        workflowId,
        crons,
        versionId: newId(),
        filterIds: definition.filters.map(() => newId()),
      });
      caller.note(reply.workflowId, reply.versionId);
      return { id: reply.versionId, workflowId: reply.workflowId };
    },
    triggerWorkflowRun: async (request, caller, metadata) => {
      const { tenantId } = caller;
      const [runId] = runIdsFrom(metadata, 1);
      const labels = readDesiredLabels(request.desiredWorkerLabels, 'of the run');
      const run = await prepareRun(owner, tenantId, {
        workflowName: request.workflowName,
        input: utf8(request.input),
        metadata: utf8(request.additionalMetadata),
        priority: request.priority,
        runId,
        labels,
      });
      caller.note(run.runId);
      const { runIds, collisions } = await owner.submit({
        kind: 'trigger',
        tenantId,
        runs: [run],
      });
      refuseCollisions(collisions, runIds, false);
      return { externalId: run.runId };
    },
    cancelTasks: async (request, caller) => {
      const { tenantId } = caller;
      const given = ids(atMost(request.externalIds, 'the ids', mostIds));
      const filter = request.filter === undefined ? undefined : selection(request.filter);
      const cancelled = await cancelIds(owner, tenantId, given);
      if (filter !== undefined) cancelled.push(...(await cancelByFilter({ owner, pool }, tenantId, filter)));
      caller.note(...cancelled);
      return { cancelledTasks: cancelled };
    },
    getRunDetails: async (request, { tenantId }) => {
      const id = knownId(request.externalId, 'UNKNOWN_RUN');
      const held = await readWithin(maxRunBytes, async (bytes) => {
        const detail = await readRunDetail(pool, tenantId, id, { bytes, data: true });
        if (detail === undefined) throw unknownRun(request.externalId);
        return { value: detail, ...payloadSize([detail]) };
      });
      return held.whole(`run ${id}`, readTasksAlone).map(runDetails);
    },
    replayTasks: async (request, caller) => {
      const { tenantId } = caller;
      const given = ids(atMost(request.externalIds, 'the ids', mostIds));
      const filter = request.filter === undefined ? undefined : selection(request.filter);
      const replayed = [...(await replayIds(owner, tenantId, given))];
      if (filter !== undefined)
        replayed.push(
          ...(await replayByFilter({ pool, replay: (found) => replayIds(owner, tenantId, found) }, tenantId, filter)),
        );
      caller.note(...replayed);
      return { replayedTasks: replayed };
    },
    branchDurableTask: async (request, caller) => {
      const { tenantId } = caller;
      const taskId = knownId(request.taskExternalId, 'UNKNOWN_RUN');
      caller.note(taskId);
      const branch = wholeNumber(request.branchId, 'the branch', { min: 0, max: largestInteger });
      const made = await branchTask(owner, {
        tenantId,
        taskId,
        branch,
        node: wholeNumber(request.nodeId, 'the node', { min: 1, max: largestInteger }),
      });
      return { taskExternalId: taskId, nodeId: BigInt(made.node), branchId: BigInt(made.branch) };
    },
  };
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
  const done =
    detail.status === Status.Completed || detail.status === Status.Failed || detail.status === Status.Cancelled;
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
