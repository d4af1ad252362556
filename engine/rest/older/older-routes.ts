import { readTasksAlone } from '../../monitor/budget/answers-in-flight.ts';
import { answer } from '../answer-in-pieces.ts';
import type { RestDeps } from '../deps.ts';
import type { Router } from '../gated-router.ts';
import { heldRun } from '../runs/read-run.ts';
import { listOlderRuns } from './list-older-runs.ts';
import { olderRun } from './older-run.ts';
import { runGraph } from './run-graph.ts';

/** Runs in the form that the contract had before `stable`, which programs still read. */
export function registerOlderRoutes(router: Router, deps: RestDeps): void {
  router.get('/api/v1/tenants/:tenant/workflows/runs', async (context) =>
    answer(context, await listOlderRuns(deps, context.get('caller').tenantId, context.req)),
  );
  router.get('/api/v1/tenants/:tenant/workflow-runs/:run', async (context) => {
    const { tenantId } = context.get('caller');
    const held = await heldRun(deps, tenantId, context.req.param('run'), (run) => olderRun(run, { data: true }));
    return answer(context, held);
  });
  router.get('/api/v1/tenants/:tenant/workflow-runs/:run/shape', async (context) => {
    const id = context.req.param('run');
    const held = await heldRun(deps, context.get('caller').tenantId, id, runGraph);
    return answer(context, held.whole(`run ${id}`, readTasksAlone));
  });
}
