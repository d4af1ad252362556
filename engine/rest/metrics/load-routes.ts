import type {
  QueueLoad,
  QueueMetrics,
  TaskStats,
  TaskStatusStat,
  WorkflowMetrics,
} from '../../../proto/gen/rest/answers.ts';
import { metadataPairs, searchedIds } from '../../edge/parse/selection.ts';
import { invalid, quoted } from '../../edge/parse/invalid.ts';
import { taskStats, type TaskFigures } from '../../figures/task-stats.ts';
import { keysOfWorkflow, workflowLoads, type KeyUse, type Load } from '../../figures/workflow-loads.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import { readOpenTaskCounts } from '../../monitor/runs/open-task-counts.ts';
import type { RestDeps } from '../deps.ts';
import type { Router } from '../gated-router.ts';
import { isoUs } from '../message-fields.ts';
import { listQuery, textQuery } from '../request-values.ts';
import { workflowOf } from '../workflows/workflow-of.ts';

/** What waits and what runs, from the owner's memory: for scalers, and for pages that show the present. */
export function registerLoadRoutes(router: Router, deps: RestDeps): void {
  router.get('/api/v1/tenants/:tenant/task-stats', async (context) => {
    const { tenantId } = context.get('caller');
    const names = listQuery(context.req, 'taskNames');
    const stats = taskStats(await deps.owner.served(tenantId), tenantId, names);
    return context.json(
      Object.fromEntries(
        [...stats].map(([name, { queued, running }]) => [
          name,
          { queued: statusStat(queued), running: statusStat(running) },
        ]),
      ) satisfies TaskStats,
    );
  });
  router.get('/api/v1/tenants/:tenant/queue-metrics', async (context) => {
    const { tenantId } = context.get('caller');
    const workflowIds = searchedIds(listQuery(context.req, 'workflows'), 'workflows');
    const metadata = metadataPairs(listQuery(context.req, 'additionalMetadata'));
    const state = await deps.owner.served(tenantId);
    const all = metadata === null ? workflowLoads(state, tenantId) : await loadsWith(deps, { tenantId, metadata });
    const loads = [...all].filter(([id]) => workflowIds.length === 0 || workflowIds.some((each) => each === id));
    const total = { queued: 0, running: 0, pending: 0 };
    for (const [, { queued, running, pending }] of loads) {
      total.queued += queued;
      total.running += running;
      total.pending += pending;
    }
    const queues = [...state.queues.values()].filter((queue) => queue.tenantId === tenantId);
    return context.json({
      total: queueLoad(total),
      workflow: Object.fromEntries(loads.map(([id, load]) => [id, queueLoad(load)])),
      queues: Object.fromEntries(queues.map((queue) => [queue.action, queue.length + queue.gathering])),
    } satisfies QueueMetrics);
  });
  router.get('/api/v1/workflows/:workflow/metrics', async (context) => {
    const { tenantId } = context.get('caller');
    const { workflowId } = await workflowOf(deps.owner, tenantId, context.req.param('workflow'));
    const groupKey = textQuery(context.req, 'groupKey');
    const countOf = counted(context.req.query('status'));
    const keys = keysOfWorkflow(await deps.owner.served(tenantId), workflowId).filter((use) => countOf(use) > 0);
    const ofKey = keys.find(({ key }) => key === groupKey);
    return context.json({
      groupKeyRunsCount: groupKey === null ? undefined : ofKey === undefined ? 0 : countOf(ofKey),
      groupKeyCount: keys.length,
    } satisfies WorkflowMetrics);
  });
}

function statusStat({ total, queues, concurrency, oldestUs, oldestUntriedUs }: TaskFigures): TaskStatusStat {
  return {
    total,
    queues: Object.fromEntries(queues),
    concurrency: concurrency.map(({ expression, strategy, keys }) => ({
      expression,
      type: strategy,
      keys: Object.fromEntries(keys),
    })),
    oldest: isoUs(oldestUs ?? null),
    oldestExcludingRetries: isoUs(oldestUntriedUs ?? null),
  };
}

function queueLoad({ queued, running, pending }: Load): QueueLoad {
  return { numQueued: queued, numRunning: running, numPending: pending };
}

async function loadsWith(
  { pool }: RestDeps,
  { tenantId, metadata }: { tenantId: TenantId; metadata: string },
): Promise<Map<string, Load>> {
  const rows = await readOpenTaskCounts(pool, tenantId, metadata);
  return new Map(rows.map(({ workflowId, ...load }) => [workflowId, load]));
}

/** What of a key is counted: memory has what holds it and what waits, and no more of those that have ended. @throws HatchetError INVALID_ARGUMENT */
function counted(status: string | undefined): (use: KeyUse) => number {
  switch (status) {
    case undefined:
    case '':
      return ({ held, waiting }) => held + waiting;
    case 'RUNNING':
      return ({ held }) => held;
    case 'QUEUED':
    case 'PENDING':
      return ({ waiting }) => waiting;
    default:
      throw invalid(
        `status is ${quoted(status)}`,
        'Use RUNNING, QUEUED or PENDING: keys are not kept of what has ended.',
      );
  }
}
