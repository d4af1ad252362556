import { knownId } from '../edge/parse/id.ts';
import { quoted } from '../edge/parse/invalid.ts';
import { HatchetError } from '../errors.ts';
import { parseUuid } from '../model/uuid.ts';
import { readWorkflows, type StoredWorkflow } from '../monitor/definition-reads.ts';
import { pagination } from './contract.ts';
import type { RestDeps } from './deps.ts';
import type { Router } from './router.ts';
import { isObject, objectBody, pageQuery, textQuery } from './request-values.ts';
import { versionMessage, workflowMessage } from './workflow-messages.ts';

const mostWorkflows = 1000;

/** `{"pause": {"action": "pause"}}`, or `{"isPaused": true}` as older clients send it. @throws HatchetError INVALID_ARGUMENT */
function wantedPause(body: Record<string, unknown>): boolean {
  const { pause, isPaused } = body;
  const action = isObject(pause) ? pause['action'] : undefined;
  if (action === 'pause' || action === 'unpause') return action === 'pause';
  if (typeof isPaused === 'boolean') return isPaused;
  throw new HatchetError('INVALID_ARGUMENT', 'the body does not say whether to pause', { remedy: 'Send {"pause": {"action": "pause"}} or {"pause": {"action": "unpause"}}.' });
}

/** Definitions, in their newest version, and their queues. */
export function registerWorkflowRoutes(router: Router, deps: RestDeps): void {
  const one = async (tenantId: string, given: string): Promise<StoredWorkflow> => {
    const id = parseUuid(given);
    const [workflow] = id === undefined ? [] : await readWorkflows(deps.pool, { tenantId, id, limit: 1 });
    if (workflow === undefined) throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${quoted(given)}`, { remedy: 'Start a worker that registers it, or check the id.' });
    return workflow;
  };

  router.get('/api/v1/tenants/:tenant/workflows', async (context) => {
    const { tenantId } = context.get('caller');
    const page = pageQuery(context.req, { most: mostWorkflows });
    const given = textQuery(context.req, 'name');
    // Registered names are one whatever their case, as for triggers.
    const name = given === null ? undefined : (deps.owner.stateOf(tenantId)?.latestVersion(tenantId, given)?.definition.name ?? given);
    const end = page.offset + page.limit;
    const rows = await readWorkflows(deps.pool, { tenantId, name, limit: end + 1 });
    return context.json({ pagination: pagination({ ...page, more: rows.length > end }), rows: rows.slice(page.offset, end).map((row) => workflowMessage(row, tenantId)) });
  });
  router.get('/api/v1/workflows/:workflow', async (context) => {
    const { tenantId } = context.get('caller');
    return context.json(workflowMessage(await one(tenantId, context.req.param('workflow')), tenantId));
  });
  router.patch('/api/v1/workflows/:workflow', async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const workflowId = knownId(context.req.param('workflow'), 'UNKNOWN_WORKFLOW');
    caller.note(workflowId);
    const workflow = await one(tenantId, workflowId);
    const isPaused = wantedPause(await objectBody(context.req));
    await deps.owner.submit(tenantId, { kind: 'pauseWorkflow', tenantId, workflowId, paused: isPaused });
    return context.json(workflowMessage({ ...workflow, isPaused }, tenantId));
  });
  router.get('/api/v1/workflows/:workflow/versions', async (context) => {
    const { tenantId } = context.get('caller');
    const workflow = await one(tenantId, context.req.param('workflow'));
    const version = context.req.query('version');
    if (version !== undefined && parseUuid(version) !== workflow.versionId) throw new HatchetError('UNKNOWN_WORKFLOW', `there is no version ${quoted(version)} to read`, { remedy: 'Only the newest version can be read: leave `version` out.' });
    return context.json(versionMessage(workflow, tenantId));
  });
  router.get('/api/v1/tenants/:tenant/step-run-queue-metrics', (context) => {
    const { tenantId } = context.get('caller');
    const queues = [...(deps.owner.stateOf(tenantId)?.queues.values() ?? [])].filter((queue) => queue.tenantId === tenantId);
    return context.json({ queues: Object.fromEntries(queues.map((queue) => [queue.action, queue.length + queue.gathering])) });
  });
}
