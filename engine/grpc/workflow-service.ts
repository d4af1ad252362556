import type { Commands } from '../edge/parsed-commands.ts';
import { atMost } from '../edge/parse/list.ts';
import { quoted } from '../edge/parse/invalid.ts';
import { HatchetError } from '../base/errors.ts';
import { uuidTimeMs } from '../model/ids/uuid.ts';
import { maxBulkTasks, maxBulkTriggers } from '../model/limits.ts';
import { prepareRun } from '../shard/prepare/prepare-run.ts';
import { WorkflowServiceService } from '../../proto/gen/hatchet/contract/workflows.ts';
import { refuseCollisions } from './collision.ts';
import type { Edge } from './edge.ts';
import type { CallsTogether } from './session/calls-together.ts';
import * as asked from './by-link/linked-calls.ts';
import { serve, type Handlers } from './handlers.ts';
import { newerDefinition } from './definition/older-definition.ts';
import { registerWorkflow } from './definition/register-workflow.ts';
import { readRateLimit, readRateLimitPause } from './requests/rate-limit-request.ts';
import { runIdsFrom } from './runs/run-ids-header.ts';
import { readSchedules } from './requests/schedule-request.ts';
import type { GrpcService } from './grpc-server.ts';
import { triggerRequest } from './requests/trigger-request.ts';

export interface WorkflowDeps extends Edge {
  owner: Commands;
  together: CallsTogether;
}

export function workflowService(deps: WorkflowDeps): GrpcService {
  return serve(deps, WorkflowServiceService, handlers(deps), { triggerWorkflow: asked.trigger });
}

function handlers(deps: WorkflowDeps): Handlers<typeof WorkflowServiceService> {
  const { owner, together } = deps;
  return {
    triggerWorkflow: (request, caller, metadata) =>
      asked.trigger(request, { link: together.of(caller), caller, metadata }),
    bulkTriggerWorkflow: async ({ workflows }, caller, metadata) => {
      const { tenantId } = caller;
      const ids = runIdsFrom(metadata, atMost(workflows, 'the runs that the call triggers', maxBulkTriggers).length);
      const runs = await owner.turns.each(tenantId, workflows, (request, index) =>
        prepareRun(owner, tenantId, triggerRequest(request, { runId: ids[index] })),
      );
      const tasks = runs.reduce((sum, run) => sum + run.taskIds.length, 0);
      if (tasks > maxBulkTasks)
        throw new HatchetError('INVALID_ARGUMENT', `the call makes ${tasks} tasks`, {
          remedy: `Make at most ${maxBulkTasks} a call.`,
        });
      if (runs.length > 0) {
        caller.note(...runs.map((run) => run.runId));
        const { runIds, collisions } = await owner.submit({
          kind: 'trigger',
          tenantId,
          runs,
        });
        refuseCollisions(collisions, runIds, true);
        return { workflowRunIds: [...runIds] };
      }
      return { workflowRunIds: [] };
    },
    putWorkflow: async ({ opts }, caller) => {
      const { workflowId, versionId } = await registerWorkflow(owner, caller, newerDefinition(opts));
      const version = (await owner.served(caller.tenantId)).versions.get(versionId);
      if (version === undefined) throw new Error(`version ${versionId} is missing after its registration`);
      const madeAt = new Date(uuidTimeMs(versionId));
      return { ...versionHead(version), workflowId, createdAt: madeAt, updatedAt: madeAt, scheduledWorkflows: [] };
    },
    scheduleWorkflow: async (request, caller) => {
      const { tenantId } = caller;
      const version = (await owner.served(tenantId)).latestVersion(tenantId, request.name);
      if (version === undefined)
        throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${quoted(request.name)}`, {
          remedy: 'Start a worker that registers it, or check the name.',
        });
      const schedules = await readSchedules(owner.payloads, request, { tenantId, workflowId: version.workflowId });
      caller.note(...schedules.map(({ id }) => id));
      if (schedules.length > 0) await owner.submit({ kind: 'putSchedules', tenantId, schedules });
      return {
        ...versionHead(version),
        workflowId: version.workflowId,
        scheduledWorkflows: schedules.map(({ id, dueUs }) => ({ id, triggerAt: new Date(dueUs / 1000) })),
      };
    },
    putRateLimit: async (request, caller) => {
      const { tenantId } = caller;
      const rateLimit = readRateLimit(request);
      caller.note(rateLimit.key);
      await owner.submit({ kind: 'putRateLimit', tenantId, ...rateLimit });
      return {};
    },
    pauseRateLimit: async (request, caller) => {
      const { tenantId } = caller;
      const pause = readRateLimitPause(request);
      caller.note(pause.key);
      const { untilUs } = await owner.submit({ kind: 'pauseRateLimit', tenantId, ...pause });
      return { pausedUntil: new Date(untilUs / 1000) };
    },
  };
}

function versionHead({ versionId, ordinal }: { versionId: string; ordinal: number }) {
  return { id: versionId, version: String(ordinal), order: BigInt(ordinal) };
}
