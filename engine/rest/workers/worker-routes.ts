import { knownId } from '../../edge/parse/id.ts';
import { quoted } from '../../edge/parse/invalid.ts';
import { HatchetError } from '../../base/errors.ts';
import { parseUuid } from '../../model/ids/uuid.ts';
import { maxPageBytes } from '../../model/limits.ts';
import { readWithin } from '../../monitor/budget/answers-in-flight.ts';
import { readWorkflowsOf } from '../../monitor/definition-reads.ts';
import { actionSize, readWorkers } from '../../monitor/worker-reads.ts';
import { answer } from '../answer-in-pieces.ts';
import { pagination } from '../message-fields.ts';
import type { RestDeps } from '../deps.ts';
import type { Router } from '../gated-router.ts';
import { objectBody } from '../request-values.ts';
import { workerMessage } from './worker-messages.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

const mostWorkers = 1000;
const mostWorkflows = 1000;

/** Workers: reading, pausing. */
export function registerWorkerRoutes(router: Router, deps: RestDeps): void {
  const one = async (tenantId: TenantId, given: string) => {
    const id = parseUuid(given);
    const rows =
      id === undefined
        ? []
        : await readWorkers(deps.pool, { tenantId, all: true, ids: [], id, limit: 1, bytes: maxPageBytes });
    const [stored] = rows;
    if (stored === undefined) throw unknownWorker(given);
    return stored;
  };
  const message = async (tenantId: TenantId, id: string) => {
    const stored = await one(tenantId, id);
    const workflows = await readWorkflowsOf(deps.pool, { tenantId, actions: stored.actions, limit: mostWorkflows });
    return workerMessage(stored, deps.owner.stateOf(tenantId)?.workersById.get(stored.id), workflows);
  };

  router.get('/api/v1/tenants/:tenant/worker', async (context) => {
    const { tenantId } = context.get('caller');
    const workers = deps.owner.stateOf(tenantId)?.workersById;
    const list = await readWithin(maxPageBytes, async (bytes) => {
      const rows = await readWorkers(deps.pool, { tenantId, all: false, ids: [], limit: mostWorkers, bytes });
      const workflows = await readWorkflowsOf(deps.pool, {
        tenantId,
        actions: [...new Set(rows.flatMap((row) => row.actions))],
        limit: mostWorkflows,
      });
      return {
        value: {
          pagination: pagination({ offset: 0, limit: mostWorkers, more: false }),
          rows: rows.map((row) => workerMessage(row, workers?.get(row.id), workflows)),
        },
        ...actionSize(rows),
      };
    });
    return answer(context, list);
  });
  router.get('/api/v1/workers/:worker', async (context) =>
    context.json(await message(context.get('caller').tenantId, context.req.param('worker'))),
  );
  router.patch('/api/v1/workers/:worker', async (context) => {
    const caller = context.get('caller');
    const { tenantId } = caller;
    const { isPaused } = await objectBody(context.req);
    if (isPaused !== undefined && typeof isPaused !== 'boolean')
      throw new HatchetError('INVALID_ARGUMENT', 'isPaused is not a boolean', { remedy: 'Give true or false.' });
    const id = knownId(context.req.param('worker'), 'UNKNOWN_WORKER');
    caller.note(id);
    await one(tenantId, id);
    if (isPaused !== undefined)
      await deps.owner.submit({ kind: 'updateWorker', tenantId, workerId: id, paused: isPaused });
    return context.json(await message(tenantId, id));
  });
}

function unknownWorker(id: string): HatchetError {
  return new HatchetError('UNKNOWN_WORKER', `there is no worker ${quoted(id)}`, { remedy: 'Check the id.' });
}
