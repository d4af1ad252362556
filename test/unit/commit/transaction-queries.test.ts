import { expect, it } from 'vitest';
import { transactionQueries } from '../../../engine/commit/transaction-queries.ts';
import { ChangeSet } from '../../../engine/plan/state/change-set.ts';
import { tenantOf } from '../../helpers/tenant.ts';

it('takes rows out before it puts rows in, so that a task may go and come again in one batch', () => {
  const changes = new ChangeSet();
  const taskId = '01900000-0000-7000-8000-000000000001';
  changes.liveDeletes.push(taskId);
  changes.liveInserts.push({
    taskId,
    runId: taskId,
    tenantId: tenantOf(taskId),
    versionId: taskId,
    shard: 0,
    step: 0,
    state: 1,
    flags: 0,
    priority: 1,
    generation: 2,
    attempt: 1,
    retries: 0,
    reassigns: 0,
    deaths: 0,
    unanswered: 0,
    seq: 1,
    dueUs: 0,
    workerId: null,
    batchId: null,
    demands: null,
    invocation: 0,
  });
  changes.waitDeletes.push(taskId);
  changes.waits.push({ taskId, tenantId: tenantOf(taskId), sinceUs: 0, sinceSeq: 0, resolved: '[]' });
  const names = transactionQueries([], 1, changes, new Map()).map((query) =>
    'name' in query ? query.name : query.text,
  );
  expect(
    names.filter((name) => name.endsWith('_live') || name.endsWith('_live_one') || name.endsWith('_waits')),
  ).toEqual(['delete_live', 'insert_live_one', 'delete_waits', 'write_waits']);
});
