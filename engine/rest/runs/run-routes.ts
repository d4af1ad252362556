import type { RunNames } from '../../../proto/gen/rest/answers.ts';
import { HatchetError } from '../../base/errors.ts';
import { searchedIds } from '../../edge/parse/selection.ts';
import { maxRunBytes } from '../../model/limits.ts';
import { noPayloads, runDetailsIn } from '../../monitor/runs/run-detail.ts';
import { prepareRun } from '../../shard/prepare/prepare-run.ts';
import { answer } from '../answer-in-pieces.ts';
import { pagination, resourceMeta, statusName } from '../message-fields.ts';
import type { RestDeps } from '../deps.ts';
import { PayloadSpace } from './repeated-payload-room.ts';
import { unknownTenant, type Router } from '../gated-router.ts';
import { bodyWithPayloads, listQuery, objectMember, payloadMember, pageQuery } from '../request-values.ts';
import { dagTasks } from './dag-tasks.ts';
import { displayName, eventMessages, runMessage, shapeMessage, taskMessages, timingMessages } from './run-messages.ts';
import { listRunIds, listRunRows } from './list-run-rows.ts';
import { startOne } from './start-one.ts';
import { childCounts, heldRun, knownRun, runEvents } from './read-run.ts';
import { parseTenantId, type TenantId } from '../../model/ids/tenant-id.ts';

/** Runs: reading, listing, triggering. */
export function registerRunRoutes(router: Router, deps: RestDeps): void {
  const details = (tenantId: TenantId, id: string) =>
    heldRun(deps, tenantId, id, async (run) => {
      const [events, children] = await Promise.all([runEvents(deps, run), childCounts(deps, tenantId, [run])]);
      return {
        run: runMessage(run),
        taskEvents: eventMessages(run, events),
        shape: shapeMessage(run),
        tasks: taskMessages(run, { children, repeats: new PayloadSpace(maxRunBytes) }),
      };
    });

  router.get('/api/v1/stable/workflow-runs/:run', async (context) =>
    answer(context, await details(context.get('caller').tenantId, context.req.param('run'))),
  );
  router.get('/api/v1/stable/workflow-runs/:run/status', async (context) => {
    const run = await knownRun(deps, context.get('caller').tenantId, context.req.param('run'));
    return context.json(statusName(run.status));
  });
  router.get('/api/v1/stable/workflow-runs/:run/task-events', async (context) => {
    const page = pageQuery(context.req, { fallback: 1000, most: 10_000 });
    const run = await knownRun(deps, context.get('caller').tenantId, context.req.param('run'));
    const events = eventMessages(run, await runEvents(deps, run));
    const end = page.offset + page.limit;
    return context.json({
      pagination: pagination({ ...page, more: events.length > end }),
      rows: events.slice(page.offset, end),
    });
  });
  router.get('/api/v1/stable/workflow-runs/:run/task-timings', async (context) => {
    const run = await knownRun(deps, context.get('caller').tenantId, context.req.param('run'));
    const rows = timingMessages(run);
    return context.json({ pagination: pagination({ offset: 0, limit: Math.max(rows.length, 1), more: false }), rows });
  });
  router.get('/api/v1/stable/dags/tasks', async (context) => {
    const { tenantId } = context.get('caller');
    const tenant = context.req.query('tenant') ?? '';
    // In place of one in the path: another's answers as none does.
    if (parseTenantId(tenant) !== tenantId) throw unknownTenant(tenant);
    const ids = searchedIds(listQuery(context.req, 'dag_ids'), 'dag_ids');
    return answer(context, await dagTasks(deps, tenantId, ids));
  });

  router.get('/api/v1/stable/tenants/:tenant/workflow-runs', async (context) =>
    answer(context, await listRunRows(deps, context.get('caller').tenantId, context.req)),
  );
  router.get('/api/v1/stable/tenants/:tenant/workflow-runs/external-ids', async (context) =>
    context.json(await listRunIds(deps, context.get('caller').tenantId, context.req)),
  );
  router.get('/api/v1/stable/tenants/:tenant/workflow-runs/display-names', async (context) => {
    const { tenantId } = context.get('caller');
    const ids = searchedIds(listQuery(context.req, 'external_ids'), 'external_ids');
    const runs = await runDetailsIn(deps.pool, tenantId, ids, noPayloads);
    return context.json({
      pagination: pagination({ offset: 0, limit: Math.max(ids.length, 1), more: false }),
      rows: runs.map((run) => ({ metadata: resourceMeta(run.id), displayName: displayName(run.workflowName, run.id) })),
    } satisfies RunNames);
  });
  router.post('/api/v1/stable/tenants/:tenant/workflow-runs/trigger', async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const body = await bodyWithPayloads(context, deps.owner.payloads);
    const { workflowName, input, additionalMetadata, priority } = body;
    if (typeof workflowName !== 'string')
      throw new HatchetError('INVALID_ARGUMENT', 'workflowName is missing', { remedy: 'Give the name of a workflow.' });
    if (priority !== undefined && typeof priority !== 'number')
      throw new HatchetError('INVALID_ARGUMENT', 'priority is not a number', { remedy: 'Choose 1, 2 or 3.' });
    const run = await prepareRun(deps.owner, tenantId, {
      workflowName,
      input: objectMember(input, 'input') ?? '',
      metadata: payloadMember(additionalMetadata) ?? '',
      priority,
    });
    caller.note(run.runId);
    return answer(context, await details(tenantId, await startOne(deps.owner, tenantId, run)));
  });
}
