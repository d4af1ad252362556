import type { Pool } from 'pg';
import type { Commands } from '../edge/parsed-commands.ts';
import { ids, knownId } from '../edge/parse/id.ts';
import { atMost } from '../edge/parse/list.ts';
import { largestInteger, wholeNumber } from '../edge/parse/number.ts';
import { selection } from '../edge/parse/selection.ts';
import { toldError } from '../model/payload/split-error.ts';
import { RunStatus as Status } from '../model/task/status.ts';
import { maxRunBytes } from '../model/limits.ts';
import { readTasksAlone, readWithin } from '../monitor/budget/answers-in-flight.ts';
import { replayByFilter } from '../bulk/replay-selection.ts';
import { cancelByFilter } from '../bulk/cancel-selection.ts';
import { payloadSize, readRunDetail, type RunDetail, type TaskDetail } from '../monitor/runs/run-detail.ts';
import { cancelIds } from '../bulk/cancel-ids.ts';
import { replayIds } from '../bulk/replay-ids.ts';
import { branchTask } from '../shard/prepare/branch-task.ts';
import {
  AdminServiceService,
  RunStatus,
  type GetRunDetailsResponse,
  type TaskRunDetail,
} from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { registerWorkflow } from './definition/register-workflow.ts';
import type { Edge } from './edge.ts';
import type { CallsTogether } from './session/calls-together.ts';
import * as asked from './by-link/linked-calls.ts';
import { serve, type Handlers } from './handlers.ts';
import { unknownRun } from './runs/run-filter.ts';
import type { GrpcService } from './grpc-server.ts';

export interface AdminDeps extends Edge {
  owner: Commands;
  pool: Pool;
  together: CallsTogether;
}

/** Ids of one call to cancel or replay. */
const mostIds = 100_000;

export function adminService(deps: AdminDeps): GrpcService {
  return serve(deps, AdminServiceService, handlers(deps), { triggerWorkflowRun: asked.triggerRun });
}

function handlers(deps: AdminDeps): Handlers<typeof AdminServiceService> {
  const { owner, pool, together } = deps;
  return {
    putWorkflow: async (request, caller) => {
      const { workflowId, versionId } = await registerWorkflow(owner, caller, request);
      return { id: versionId, workflowId };
    },
    triggerWorkflowRun: (request, caller, metadata) =>
      asked.triggerRun(request, { link: together.of(caller), caller, metadata }),
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

function taskRunDetail(task: TaskDetail): TaskRunDetail {
  return {
    externalId: task.id,
    readableId: task.name,
    status: wireStatus[task.status],
    error: task.error === null ? undefined : toldError(task.error),
    output: task.output === null ? undefined : Buffer.from(task.output),
    isEvicted: task.status === Status.Evicted,
  };
}

function runDetails(detail: RunDetail): GetRunDetailsResponse {
  const done =
    detail.status === Status.Completed || detail.status === Status.Failed || detail.status === Status.Cancelled;
  return {
    input: Buffer.from(detail.input),
    status: wireStatus[detail.status],
    taskRuns: Object.fromEntries(
      detail.tasks.flatMap((task) => (task.isToCome ? [] : [[task.name, taskRunDetail(task)]])),
    ),
    done,
    additionalMetadata: Buffer.from(detail.metadata),
    isEvicted: detail.tasks.some((task) => task.status === Status.Evicted),
  };
}
