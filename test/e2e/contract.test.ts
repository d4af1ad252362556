import { status as Code, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJournalLetters } from '../../engine/model/task/journal-letters.ts';
import { replayJournal } from '../../engine/model/task/transition.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import { IdempotencyMethod } from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { RunStatus, type RunEvent, type StreamRunEventsResponse } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { codeOf, contractFixture } from '../helpers/contract-fixture.ts';
import { taskRequest, workflowRequest, type ContractWorker } from '../helpers/contract-worker.ts';
import { GrpcClients } from '../helpers/grpc-client.ts';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { journalOf } from '../../engine/postgres/rows-of-a-run.ts';

const contract = contractFixture('contract');
const { fixture, trigger, statusOf, untilStatus } = contract;
let clients: GrpcClients;
let strangers: GrpcClients;
let worker: ContractWorker;

beforeAll(async () => {
  ({ clients, worker } = contract);
  strangers = new GrpcClients(fixture.engine.grpc, (await makeNeighbour(fixture.database.pool, fixture.dataDir)).token);
});

afterAll(() => strangers.close());

async function rowCounts(): Promise<Record<string, number>> {
  const { rows } = await fixture.database.pool.query<Record<string, number>>(
    `SELECT (SELECT count(*)::integer FROM run) AS run, (SELECT count(*)::integer FROM task) AS task, (SELECT count(*)::integer FROM live) AS live, (SELECT count(*)::integer FROM result) AS result,
       (SELECT count(*)::integer FROM run_end) AS run_end, (SELECT count(*)::integer FROM history) AS history, (SELECT count(*)::integer FROM workflow) AS workflow,
       (SELECT count(*)::integer FROM workflow_version) AS workflow_version, (SELECT count(*)::integer FROM worker) AS worker, (SELECT count(*)::integer FROM log_line) AS log_line`,
  );
  return rows[0] ?? {};
}

describe('bad input', () => {
  it('is refused at the edge, whole, with nothing stored', async () => {
    const { admin, workflows, dispatcher, events } = clients;
    const before = await rowCounts();
    const run = (workflowName: string, input: Buffer, metadata = '{}', priority?: number): Promise<unknown> =>
      clients.call(admin, admin.triggerWorkflowRun, {
        workflowName,
        input,
        additionalMetadata: Buffer.from(metadata),
        priority,
        desiredWorkerLabels: {},
      });
    const ok = Buffer.from('{}');
    const put = (request: Parameters<typeof workflowRequest>): Promise<unknown> =>
      clients.call(admin, admin.putWorkflow, workflowRequest(...request));
    const child = { desiredWorkerLabels: {} };

    expect(await codeOf(run('nobody', ok))).toMatchObject({
      code: Code.NOT_FOUND,
      message: expect.stringContaining('there is no workflow "nobody"'),
    });
    expect(await codeOf(run('one', Buffer.from('{"a":')))).toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: expect.stringContaining('not valid JSON'),
    });
    expect(await codeOf(run('one', Buffer.from('"\\u0000"')))).toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: expect.stringContaining('NUL'),
    });
    expect(await codeOf(run('one', Buffer.from('"\0"')))).toMatchObject({ code: Code.INVALID_ARGUMENT });
    expect(await codeOf(run('one', Buffer.from(JSON.stringify('x'.repeat(5 * 1024 * 1024)))))).toMatchObject({
      code: Code.RESOURCE_EXHAUSTED,
      message: expect.stringContaining('5242882 bytes; the limit is 4194304'),
    });
    expect(await codeOf(run('one', ok, '[1]'))).toMatchObject({ code: Code.INVALID_ARGUMENT });
    expect(await codeOf(run('one', ok, '{"a":"\\ud800"}'))).toMatchObject({ code: Code.INVALID_ARGUMENT });
    expect(await codeOf(run('one', ok, '{}', 9))).toMatchObject({ code: Code.INVALID_ARGUMENT });
    expect(await codeOf(trigger('one', {}, { 'hatchet-run-id': 'not-an-id' }))).toMatchObject({
      code: Code.INVALID_ARGUMENT,
    });
    // One bad run refuses the whole bulk call.
    const bulk = [
      { name: 'one', input: '{}', ...child },
      { name: 'nobody', input: '{}', ...child },
    ];
    expect(await codeOf(clients.call(workflows, workflows.bulkTriggerWorkflow, { workflows: bulk }))).toMatchObject({
      code: Code.NOT_FOUND,
    });
    expect(
      await codeOf(
        clients.call(workflows, workflows.bulkTriggerWorkflow, {
          workflows: Array.from({ length: 1001 }, () => ({ name: 'one', input: '{}', ...child })),
        }),
      ),
    ).toMatchObject({ code: Code.INVALID_ARGUMENT });
    expect(await codeOf(put(['bad name', [taskRequest('x')]]))).toMatchObject({ code: Code.INVALID_ARGUMENT });
    expect(
      await codeOf(put(['loop', [taskRequest('x', { parents: ['y'] }), taskRequest('y', { parents: ['x'] })]])),
    ).toMatchObject({ code: Code.INVALID_ARGUMENT, message: expect.stringContaining('wait for each other') });
    expect(await codeOf(put(['slow', [taskRequest('x', { timeout: '5 minutes' })]]))).toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: expect.stringContaining('not a duration'),
    });
    expect(
      await codeOf(put(['keyed', [taskRequest('x')], { concurrencyArr: [{ expression: 'input.' }] }])),
    ).toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: expect.stringContaining('the concurrency expression of workflow keyed'),
    });
    expect(
      await codeOf(clients.call(dispatcher, dispatcher.heartbeat, { workerId: newId(), heartbeatAt: new Date() })),
    ).toMatchObject({ code: Code.NOT_FOUND });
    expect(
      await codeOf(
        clients.call(events, events.putLog, {
          taskRunExternalId: newId(),
          createdAt: new Date(),
          message: '',
          metadata: '',
        }),
      ),
    ).toMatchObject({ code: Code.INVALID_ARGUMENT });
    const forged = new GrpcClients(fixture.engine.grpc, `${fixture.token.slice(0, -6)}AAAAAA`);
    expect(await codeOf(forged.call(forged.admin, forged.admin.getRunDetails, { externalId: newId() }))).toMatchObject({
      code: Code.UNAUTHENTICATED,
    });
    forged.close();
    expect(await rowCounts()).toEqual(before);
  });

  it('in a worker report fails the attempt instead of hanging the task', async () => {
    const runId = await trigger('one', { do: 'hold' });
    await untilStatus(runId, RunStatus.RUN_STATUS_RUNNING);
    const action = worker.received.find((each) => each.taskRunExternalId === runId);
    if (action === undefined) throw new Error('not received');
    await worker.report(action, 2, '{"broken', true);
    await untilStatus(runId, RunStatus.RUN_STATUS_FAILED);
    const { run } = await clients.call(clients.monitor, clients.monitor.getRun, { runId });
    expect(run?.errorMessage).toContain("the task's output is not valid JSON");
  });
});

describe('what a trigger makes', () => {
  it('is visible to every list and detail as soon as the call returned', async () => {
    for (let i = 0; i < 30; i++) {
      const runId = await trigger(i % 2 === 0 ? 'one' : 'dag', { do: 'hold' });
      const [list, detail, events, contract] = await Promise.all([
        clients.call(clients.monitor, clients.monitor.listRuns, {
          statuses: [],
          workflowNames: [],
          metadata: {},
          limit: 5,
        }),
        clients.call(clients.monitor, clients.monitor.getRun, { runId }),
        clients.call(clients.monitor, clients.monitor.listRunEvents, { runId }),
        clients.call(clients.admin, clients.admin.getRunDetails, { externalId: runId }),
      ]);
      expect(list.rows[0]?.runId).toBe(runId);
      expect(detail.run?.runId).toBe(runId);
      expect(events.events.map((event) => event.type)).toContain('RUN_CREATED');
      expect(contract.done).toBe(false);
      await clients.call(clients.admin, clients.admin.cancelTasks, { externalIds: [runId] });
      expect(await statusOf(runId)).toBe(RunStatus.RUN_STATUS_CANCELLED);
    }
  });

  it('leaves a journal that replays to the state of every task', async () => {
    const inputs = ['done', 'fail', 'flaky', 'hold'];
    const runs = await Promise.all(
      Array.from({ length: 60 }, (_, i) => trigger(i % 3 === 0 ? 'dag' : 'one', { do: inputs[i % 4] })),
    );
    await clients.call(clients.admin, clients.admin.cancelTasks, { externalIds: runs.filter((_, i) => i % 4 === 3) });
    await expect.poll(async () => (await rowCounts())['live'], { interval: 50 }).toBe(0);
    const { rows } = await fixture.database.pool.query<{ id: string; status: number; kinds: string[] }>(
      `SELECT x.task_id AS id, x.status, (SELECT array_agg(h.kinds ORDER BY h.seq) FROM ${journalOf('x.task_id')} h) AS kinds FROM result x`,
    );
    expect(rows.length).toBeGreaterThan(100);
    expect(rows.filter((row) => replayJournal(readJournalLetters(row.kinds.join(''))) !== row.status)).toEqual([]);
  });
});

describe('a cancellation by filter', () => {
  it('ends the runs of the selection, and no others', async () => {
    const waiting = await Promise.all(Array.from({ length: 5 }, () => trigger('parked')));
    const running = await Promise.all(Array.from({ length: 3 }, () => trigger('one', { do: 'hold' })));
    await Promise.all(running.map((runId) => untilStatus(runId, RunStatus.RUN_STATUS_RUNNING)));
    const since = new Date(Date.now() - 60_000);
    const cancel = async (statuses: string[], additionalMetadata: string[] = []): Promise<string[]> => {
      const filter = { statuses, since, workflowIds: [], additionalMetadata };
      return (
        await clients.call(clients.admin, clients.admin.cancelTasks, { externalIds: [], filter })
      ).cancelledTasks.sort();
    };
    expect(await cancel(['QUEUED'], ['team:red'])).toEqual([]);
    expect(await cancel(['COMPLETED'])).toEqual([]);
    expect(await cancel(['QUEUED'], ['team:blue'])).toEqual(waiting.sort());
    expect(await cancel(['RUNNING'])).toEqual(running.sort());
    expect(await cancel([])).toEqual([]);
    for (const runId of [...waiting, ...running]) expect(await statusOf(runId)).toBe(RunStatus.RUN_STATUS_CANCELLED);
  });
});

describe('the event stream', () => {
  it('of a replayed run goes past its former end, and ends with the newest', async () => {
    const runId = await trigger('one', { do: 'hold' });
    const end = async (): Promise<void> => {
      await expect.poll(() => statusOf(runId), { interval: 20 }).toBe(RunStatus.RUN_STATUS_RUNNING);
      await clients.call(clients.admin, clients.admin.cancelTasks, { externalIds: [runId] });
    };
    await end();
    expect(await strangers.call(strangers.admin, strangers.admin.replayTasks, { externalIds: [runId] })).toEqual({
      replayedTasks: [],
    });
    expect(await clients.call(clients.admin, clients.admin.replayTasks, { externalIds: [runId, newId()] })).toEqual({
      replayedTasks: [runId],
    });
    expect(await clients.call(clients.admin, clients.admin.replayTasks, { externalIds: [runId] })).toEqual({
      replayedTasks: [],
    });
    const types: string[] = [];
    const stream = clients.monitor.streamRunEvents({ runId, workflowNames: [] }, clients.metadata());
    stream.on('data', (page: StreamRunEventsResponse) => types.push(...page.events.map((event) => event.type)));
    const over = new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
    await expect.poll(() => types.filter((type) => type === 'STARTED').length, { interval: 20 }).toBe(2);
    await end();
    await over;
    expect(types.filter((type) => type === 'RETRIED_BY_USER' || type === 'RUN_FINISHED')).toEqual([
      'RUN_FINISHED',
      'RETRIED_BY_USER',
      'RUN_FINISHED',
    ]);
    expect(types.at(-1)).toBe('RUN_FINISHED');
  });

  it('resumes by cursor without a gap or a repeat', async () => {
    const from = await clients.call(clients.monitor, clients.monitor.listRuns, {
      statuses: [],
      workflowNames: [],
      metadata: {},
      limit: 1,
    });
    const seen: RunEvent[] = [];
    let cursor = `${String(Date.now() * 1000).padStart(17, '0')}-99`;
    const over = new AbortController();
    expect(from.rows.length).toBe(1);
    /** Reads until it has seen so many events, then hangs up. */
    const readSome = (limit: number): Promise<void> =>
      new Promise((resolve) => {
        const stream = clients.monitor.streamRunEvents({ after: cursor, workflowNames: [] }, clients.metadata());
        let count = 0;
        stream.on('data', (page: StreamRunEventsResponse) => {
          if (count >= limit) return;
          seen.push(...page.events);
          count += page.events.length;
          cursor = page.cursor;
          if (count >= limit) stream.cancel();
        });
        stream.on('error', () => resolve());
        stream.on('end', () => resolve());
        over.signal.addEventListener('abort', () => stream.cancel());
      });
    const reading = (async () => {
      while (!over.signal.aborted) await readSome(1 + Math.floor(Math.random() * 40));
    })();
    const runs: string[] = [];
    for (let i = 0; i < 10; i++)
      runs.push(...(await Promise.all(Array.from({ length: 10 }, () => trigger(i % 2 === 0 ? 'one' : 'dag')))));
    await expect.poll(() => seen.filter((event) => event.type === 'RUN_FINISHED').length).toBe(runs.length);
    over.abort();
    await reading;
    const cursors = seen.map((event) => event.cursor);
    expect(new Set(cursors).size).toBe(cursors.length);
    expect([...cursors].sort()).toEqual(cursors);
    const stored = await Promise.all(
      runs.map((runId) => clients.call(clients.monitor, clients.monitor.listRunEvents, { runId })),
    );
    expect(seen.length).toBe(stored.reduce((sum, { events }) => sum + events.length, 0));
  });
});

describe('a collision of idempotency keys', () => {
  it("is the words that Python's SDK knows it by, in the call and in its status", async () => {
    const idempotency = { expression: 'input.id', ttlMs: 60_000n, method: IdempotencyMethod.TTL };
    await clients.call(
      clients.admin,
      clients.admin.putWorkflow,
      workflowRequest('once', [taskRequest('only')], { idempotency }),
    );
    const first = await trigger('once', { id: 'a' });
    const refused: ServiceError = await clients
      .call(clients.workflows, clients.workflows.triggerWorkflow, {
        name: 'once',
        input: '{"id":"a"}',
        desiredWorkerLabels: {},
      })
      .then(
        () => Promise.reject(new Error('no collision')),
        (error: ServiceError) => error,
      );
    expect(refused).toMatchObject({ code: Code.ALREADY_EXISTS, details: 'idempotency key collision' });
    const [status] = refused.metadata.get('grpc-status-details-bin');
    // google.rpc.Status: the code, then the message.
    expect(
      Buffer.from(status ?? '')
        .subarray(0, 29)
        .toString('latin1'),
    ).toBe('\x08\x06\x12\x19idempotency key collision');
    expect(Buffer.from(status ?? '').includes(first)).toBe(true);
  });
});

describe('tenants', () => {
  it('cannot see, stop or report on each other', async () => {
    const runId = await trigger('one', { do: 'hold' });
    await untilStatus(runId, RunStatus.RUN_STATUS_RUNNING);
    const { monitor, admin, dispatcher, events } = strangers;
    expect(await codeOf(strangers.call(monitor, monitor.getRun, { runId }))).toMatchObject({ code: Code.NOT_FOUND });
    expect(await codeOf(strangers.call(monitor, monitor.getRun, { runId: newId() }))).toMatchObject({
      code: Code.NOT_FOUND,
    });
    expect(await codeOf(strangers.call(admin, admin.getRunDetails, { externalId: runId }))).toMatchObject({
      code: Code.NOT_FOUND,
    });
    expect(
      (await strangers.call(monitor, monitor.listRuns, { statuses: [], workflowNames: [], metadata: {} })).rows,
    ).toEqual([]);
    expect((await strangers.call(monitor, monitor.listWorkflows, {})).rows).toEqual([]);
    expect((await strangers.call(monitor, monitor.listWorkers, { all: true })).rows).toEqual([]);
    expect((await strangers.call(admin, admin.cancelTasks, { externalIds: [runId] })).cancelledTasks).toEqual([]);
    expect(
      await codeOf(
        strangers.call(admin, admin.triggerWorkflowRun, {
          workflowName: 'one',
          input: Buffer.from('{}'),
          additionalMetadata: Buffer.from(''),
          desiredWorkerLabels: {},
        }),
      ),
    ).toMatchObject({ code: Code.NOT_FOUND });
    expect(
      await codeOf(
        strangers.call(dispatcher, dispatcher.heartbeat, { workerId: worker.workerId, heartbeatAt: new Date() }),
      ),
    ).toMatchObject({ code: Code.NOT_FOUND });
    expect(
      await codeOf(strangers.call(dispatcher, dispatcher.releaseSlot, { taskRunExternalId: runId })),
    ).toMatchObject({ code: Code.NOT_FOUND });
    await strangers.call(events, events.putLog, {
      taskRunExternalId: runId,
      createdAt: new Date(),
      message: 'intruder',
      metadata: '',
    });
    await strangers.call(monitor, monitor.putLogs, {
      lines: [
        {
          taskRunExternalId: runId,
          taskRetryCount: 0,
          createdAt: new Date(),
          level: 'INFO',
          message: 'intruder',
          metadata: '',
        },
      ],
    });
    expect((await clients.call(clients.monitor, clients.monitor.listLogs, { id: runId, levels: [] })).lines).toEqual(
      [],
    );
    const report = {
      workerId: '',
      jobId: '',
      jobRunId: '',
      taskId: runId,
      taskRunExternalId: runId,
      actionId: 'wf:only',
      eventTimestamp: new Date(),
      eventType: 2 as const,
      eventPayload: '{}',
      retryCount: 0,
    };
    await strangers.call(dispatcher, dispatcher.sendStepActionEvent, report);
    expect(await statusOf(runId)).toBe(RunStatus.RUN_STATUS_RUNNING);
    await clients.call(clients.admin, clients.admin.cancelTasks, { externalIds: [runId] });
  });
});
