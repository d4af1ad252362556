import type { QueueLengths } from '../../../proto/gen/rest/answers.ts';
import { knownId } from '../../edge/parse/id.ts';
import { quoted } from '../../edge/parse/invalid.ts';
import { HatchetError } from '../../base/errors.ts';
import { cancelByFilter } from '../../bulk/cancel-selection.ts';
import { parseUuid } from '../../model/ids/uuid.ts';
import { maxPageBytes, maxRunBytes } from '../../model/limits.ts';
import { RunStatus } from '../../model/task/status.ts';
import { readWithin, type Held } from '../../monitor/budget/answers-in-flight.ts';
import { definitionSize, readWorkflows, type StoredWorkflow } from '../../monitor/definition-reads.ts';
import { answer } from '../answer-in-pieces.ts';
import { pagination } from '../message-fields.ts';
import type { RestDeps } from '../deps.ts';
import type { Router } from '../gated-router.ts';
import { wantedPause } from './pause-request.ts';
import { objectBody, pageQuery, textQuery } from '../request-values.ts';
import { versionMessage, workflowMessage } from './workflow-messages.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

const mostWorkflows = 1000;

/** Definitions, in their newest version, and their queues. */
export function registerWorkflowRoutes(router: Router, deps: RestDeps): void {
  const held = <T>(tenantId: TenantId, given: string, message: (workflow: StoredWorkflow) => T): Promise<Held<T>> =>
    readWithin(maxRunBytes, async (bytes) => {
      const id = parseUuid(given);
      const [workflow] = id === undefined ? [] : await readWorkflows(deps.pool, { tenantId, id, limit: 1, bytes });
      if (workflow === undefined)
        throw new HatchetError('UNKNOWN_WORKFLOW', `there is no workflow ${quoted(given)}`, {
          remedy: 'Start a worker that registers it, or check the id.',
        });
      return { value: message(workflow), ...definitionSize([workflow]) };
    });

  router.get('/api/v1/tenants/:tenant/workflows', async (context) => {
    const { tenantId } = context.get('caller');
    const page = pageQuery(context.req, { most: mostWorkflows });
    const given = textQuery(context.req, 'name');
    // Registered names are one whatever their case, as for triggers.
    const name =
      given === null
        ? undefined
        : ((await deps.owner.served(tenantId)).latestVersion(tenantId, given)?.definition.name ?? given);
    const list = await readWithin(maxPageBytes, async (bytes) => {
      const rows = await readWorkflows(deps.pool, {
        tenantId,
        name,
        offset: page.offset,
        limit: page.limit + 1,
        bytes,
      });
      return {
        value: {
          pagination: pagination({ ...page, more: rows.length > page.limit }),
          rows: rows.slice(0, page.limit).map((row) => workflowMessage(row, tenantId)),
        },
        ...definitionSize(rows),
      };
    });
    return answer(context, list);
  });
  router.get('/api/v1/workflows/:workflow', async (context) => {
    const { tenantId } = context.get('caller');
    return answer(
      context,
      await held(tenantId, context.req.param('workflow'), (workflow) => workflowMessage(workflow, tenantId)),
    );
  });
  router.patch('/api/v1/workflows/:workflow', async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const workflowId = knownId(context.req.param('workflow'), 'UNKNOWN_WORKFLOW');
    caller.note(workflowId);
    const pause = wantedPause(await objectBody(context.req));
    const known = await held(tenantId, workflowId, (workflow) => workflow);
    await known.until(deps.owner.submit({ kind: 'pauseWorkflow', tenantId, workflowId, ...pause }));
    return answer(
      context,
      known.map((workflow) => workflowMessage({ ...workflow, pause }, tenantId)),
    );
  });
  router.delete('/api/v1/workflows/:workflow', async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const workflowId = knownId(context.req.param('workflow'), 'UNKNOWN_WORKFLOW');
    caller.note(workflowId);
    await deps.owner.submit({ kind: 'deleteWorkflow', tenantId, workflowId });
    // From here on there are no new ones.
    await cancelByFilter(deps, tenantId, { statuses: [RunStatus.Queued], workflowIds: [workflowId], metadata: null });
    return context.body(null, 204);
  });
  router.get('/api/v1/workflows/:workflow/versions', async (context) => {
    const { tenantId } = context.get('caller');
    const version = context.req.query('version');
    const known = await held(tenantId, context.req.param('workflow'), (workflow) => {
      if (version !== undefined && parseUuid(version) !== workflow.versionId)
        throw new HatchetError('UNKNOWN_WORKFLOW', `there is no version ${quoted(version)} to read`, {
          remedy: 'Only the newest version can be read: leave `version` out.',
        });
      return versionMessage(workflow, tenantId);
    });
    return answer(context, known);
  });
  router.get('/api/v1/tenants/:tenant/step-run-queue-metrics', async (context) => {
    const { tenantId } = context.get('caller');
    const queues = [...(await deps.owner.served(tenantId)).queues.values()].filter(
      (queue) => queue.tenantId === tenantId,
    );
    return context.json({
      queues: Object.fromEntries(queues.map((queue) => [queue.action, queue.length + queue.gathering])),
    } satisfies QueueLengths);
  });
}
