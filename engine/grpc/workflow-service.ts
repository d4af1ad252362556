import { HatchetError } from '../errors.ts';
import { maxBulkTasks, maxBulkTriggers } from '../model/limits.ts';
import type { Owner } from '../shard/owner.ts';
import { prepareRun } from '../shard/prepare-run.ts';
import { WorkflowServiceService, type WorkflowServiceServer } from '../../proto/gen/hatchet/contract/workflows.ts';
import { refuseCollisions } from './collision.ts';
import { readSchedules } from './schedule-request.ts';
import { readRateLimit } from './rate-limit-request.ts';
import { unary, unsupported, type Edge } from './handlers.ts';
import { runIdsFrom } from './run-trigger.ts';
import type { GrpcService } from './server.ts';
import { triggerRequest } from './trigger-request.ts';

export interface WorkflowDeps extends Edge {
  owner: Owner;
}

export function workflowService(deps: WorkflowDeps): GrpcService {
  const { owner } = deps;
  const implementation: WorkflowServiceServer = {
    triggerWorkflow: unary(deps, async (request, { tenantId }, metadata) => {
      const [runId] = runIdsFrom(metadata, 1);
      const run = await prepareRun(owner, tenantId, { ...triggerRequest(request), runId });
      const { runIds, collisions } = await owner.submit(tenantId, { kind: 'trigger', tenantId, runs: [run], existing: new Set() });
      refuseCollisions(collisions, runIds, false);
      return { workflowRunId: run.runId };
    }),
    bulkTriggerWorkflow: unary(deps, async ({ workflows }, { tenantId }, metadata) => {
      if (workflows.length > maxBulkTriggers) throw new HatchetError('INVALID_ARGUMENT', `the call triggers ${workflows.length} runs`, { remedy: `Send at most ${maxBulkTriggers} a call.` });
      const ids = runIdsFrom(metadata, workflows.length);
      const runs = await Promise.all(workflows.map((request, index) => prepareRun(owner, tenantId, { ...triggerRequest(request), runId: ids[index] })));
      const tasks = runs.reduce((sum, run) => sum + run.taskIds.length, 0);
      if (tasks > maxBulkTasks) throw new HatchetError('INVALID_ARGUMENT', `the call makes ${tasks} tasks`, { remedy: `Make at most ${maxBulkTasks} a call.` });
      if (runs.length > 0) {
        const { runIds, collisions } = await owner.submit(tenantId, { kind: 'trigger', tenantId, runs, existing: new Set() });
        refuseCollisions(collisions, runIds, true);
      }
      return { workflowRunIds: runs.map((run) => run.runId) };
    }),
    putWorkflow: unsupported(deps, 'WorkflowService.PutWorkflow'),
    scheduleWorkflow: unary(deps, async (request, { tenantId }) => {
      const version = owner.stateOf(tenantId)?.latestVersion(tenantId, request.name);
      if (version === undefined) throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${JSON.stringify(request.name)}`, { remedy: 'Start a worker that registers it, or check the name.' });
      const schedules = readSchedules(request, { tenantId, workflowId: version.workflowId });
      if (schedules.length > 0) await owner.submit(tenantId, { kind: 'putSchedules', schedules });
      return {
        id: version.versionId,
        version: String(version.ordinal),
        order: BigInt(version.ordinal),
        workflowId: version.workflowId,
        scheduledWorkflows: schedules.map(({ id, dueUs }) => ({ id, triggerAt: new Date(dueUs / 1000) })),
      };
    }),
    putRateLimit: unary(deps, async (request, { tenantId }) => {
      await owner.submit(tenantId, { kind: 'putRateLimit', tenantId, ...readRateLimit(request) });
      return {};
    }),
  };
  return { definition: WorkflowServiceService, implementation };
}
