import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { KeyRing } from '../../engine/auth/key-ring.ts';
import type { Role } from '../../engine/auth/role.ts';
import { Tokens } from '../../engine/auth/tokens.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import { answersInFlight } from '../../engine/monitor/budget/answers-in-flight.ts';
import { engineFixture, engineForTest } from '../helpers/engine-fixture.ts';
import { MonitorHttp, type SentEvent } from '../helpers/monitor-http.ts';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { patient } from '../helpers/patient.ts';
import { tenantOf } from '../helpers/tenant.ts';

const fixture = engineFixture('monitor-http', { allowSkip: true });
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
let monitor: MonitorHttp;
/** A run of `greet` that has ended, and one of `naps` that sleeps for an hour. */
let ended: string;
let napping: string;

beforeAll(async () => {
  const { hatchet } = fixture;
  const greet = hatchet.task({
    name: 'greet',
    fn: async ({ name }: { name: string }, ctx) => {
      await ctx.log(`hello ${name}`);
      return { greeting: `hello ${name}` };
    },
  });
  const naps = hatchet.durableTask({
    name: 'naps',
    fn: async (_: object, ctx) => {
      await ctx.sleepFor('1h');
      return { rested: true };
    },
  });
  await fixture.serve('worker', { workflows: [greet, naps] });
  monitor = new MonitorHttp({ http: fixture.engine.http, token: fixture.token });
  const run = await greet.runNoWait({ name: 'Ada' });
  await run.output;
  ended = await run.runId;
  napping = await (await naps.runNoWait({})).runId;
  await vi.waitFor(async () => {
    const { body } = await monitor.call('GetDurableLog', { taskId: napping });
    expect(body).toMatchObject({ nodes: [{ node: 1 }] });
  }, patient);
});

async function tokenOf(role: Role): Promise<string> {
  const { pool } = fixture.database;
  const tenantId = tenantOf(fixture.hatchet.tenantId);
  const addresses = { serverUrl: 'http://127.0.0.1:1', grpcBroadcastAddress: '127.0.0.1:1' };
  const keys = await KeyRing.open(pool, { dataDir: fixture.dataDir });
  return new Tokens(pool, keys).create({ tenantId, name: role, role, addresses });
}

/** Messages up to the one that the test waits for, and that one. */
async function until(events: AsyncIterable<SentEvent>, isLast: (event: SentEvent) => boolean): Promise<SentEvent[]> {
  const seen: SentEvent[] = [];
  for await (const event of events) {
    seen.push(event);
    if (isLast(event)) break;
  }
  return seen;
}

const refusal = (code: string): unknown => ({ errors: [{ code, description: expect.any(String) }] });

describe('a call of the monitoring service over HTTP', () => {
  it.each<[method: string, request: () => unknown, answer: () => unknown]>([
    [
      'ListRuns',
      () => ({ workflowNames: ['greet'], statuses: ['RUN_STATUS_COMPLETED'], limit: 5 }),
      () => ({
        rows: [
          {
            runId: ended,
            workflowName: 'greet',
            status: 'RUN_STATUS_COMPLETED',
            createdAt: expect.stringMatching(time),
            finishedAt: expect.stringMatching(time),
            taskCount: 1,
          },
        ],
      }),
    ],
    [
      'GetRun',
      () => ({ runId: ended }),
      () => ({
        run: { runId: ended },
        input: '{"name":"Ada"}',
        tasks: [{ name: 'greet', status: 'RUN_STATUS_COMPLETED', output: '{"greeting":"hello Ada"}', durable: false }],
      }),
    ],
    [
      'ListRunEvents',
      () => ({ runId: ended }),
      () => ({ events: expect.arrayContaining([expect.objectContaining({ type: 'RUN_FINISHED', runId: ended })]) }),
    ],
    ['ListLogs', () => ({ id: ended }), () => ({ lines: [{ level: 'INFO', message: 'hello Ada' }] })],
    [
      'ListWorkflows',
      () => undefined,
      () => ({ rows: expect.arrayContaining([expect.objectContaining({ name: 'greet', paused: false })]) }),
    ],
    ['GetWorkflow', () => ({ name: 'naps' }), () => ({ workflow: { name: 'naps' }, tasks: [{ durable: true }] })],
    ['ListWorkers', () => ({}), () => ({ rows: [{ name: 'worker', status: 'WORKER_STATUS_ACTIVE' }] })],
    ['ListQueues', () => '', () => ({ keys: [], limits: [], keyCount: 0 })],
    ['ListSchedules', () => ({}), () => ({ crons: [], schedules: [], cronCount: 0, scheduleCount: 0 })],
    [
      'GetDurableLog',
      () => ({ taskId: napping }),
      () => ({
        name: 'naps',
        nodes: [{ kind: 'DURABLE_KIND_WAIT', conditions: [{ sleep: '1h', met: false }] }],
        canSkip: true,
      }),
    ],
    ['RestoreTask', () => ({ taskId: napping }), () => ({ taskId: napping, requeued: false })],
    ['BranchTask', () => ({ taskId: napping, node: 1 }), () => ({ taskId: napping, branch: 2, node: 1 })],
  ])('%s takes and gives its messages as JSON', async (method, request, answer) => {
    const { status, body } = await monitor.call(method, request());
    expect({ status, body }).toMatchObject({ status: 200, body: answer() });
  });

  it('SkipSleep ends a sleep', async () => {
    await expect
      .poll(async () => (await monitor.call('GetDurableLog', { taskId: napping })).body)
      .toMatchObject({ nodes: expect.arrayContaining([expect.objectContaining({ branch: 2, node: 1 })]) });
    expect(await monitor.call('SkipSleep', { taskId: napping, node: 1 })).toEqual({ status: 200, body: {} });
    await expect
      .poll(async () => (await monitor.call('GetRun', { runId: napping })).body)
      .toMatchObject({ run: { status: 'RUN_STATUS_COMPLETED' } });
  });

  it('writes every field that has a value by itself, and leaves out what is absent', async () => {
    expect(await monitor.call('ListRuns', { workflowNames: ['nobody'] })).toEqual({ status: 200, body: { rows: [] } });
    const [queues] = await until(monitor.stream('StreamQueues'), () => true);
    expect(queues?.data).toMatchObject({
      rows: expect.arrayContaining([
        {
          action: expect.any(String),
          queued: '0',
          running: expect.stringMatching(/^\d+$/),
          delayed: '0',
          workers: 1,
          waitingForPlace: '0',
          waitingForUnits: '0',
          waitingForBatch: '0',
        },
      ]),
      keys: [],
      limits: [],
    });
  });
});

describe('a request that is refused', () => {
  it.each<[what: string, method: string, body: string]>([
    ['is no JSON', 'ListRuns', '{"limit":'],
    ['is no object', 'ListRuns', '[]'],
    ['is null', 'ListRuns', 'null'],
    ['is nested too deep', 'ListRuns', '['.repeat(100_000)],
    ['names a field that there is not', 'ListRuns', '{"limits":5}'],
    ['names a field twice', 'ListRuns', '{"limit":5,"limit":6}'],
    ['has a text for a number', 'ListRuns', '{"limit":"many"}'],
    ['has a status that there is not', 'ListRuns', '{"statuses":["DONE"]}'],
    ['has a time that is none', 'ListRuns', '{"since":"yesterday"}'],
    ['has a number out of its range', 'ListRuns', '{"limit":4294967296}'],
    ['has a limit that the method does not take', 'ListRuns', '{"limit":0}'],
    ['is of a stream, and no JSON', 'StreamQueues', 'x'],
    ['has no filter', 'ExportRuns', '{}'],
  ])('since it %s', async (_, method, body) => {
    expect(await monitor.call(method, body)).toEqual({ status: 400, body: refusal('INVALID_ARGUMENT') });
  });

  it('since it is longer than any of the service is', async () => {
    const answer = await monitor.call('ListRuns', `{"search":"${'x'.repeat(200_000)}"}`);
    expect(answer).toEqual({ status: 413, body: refusal('PAYLOAD_TOO_LARGE') });
  });

  it('since there is no such run, also where a stream was asked for', async () => {
    for (const [method, request] of [
      ['GetRun', { runId: newId() }],
      ['StreamLogs', { id: newId() }],
      ['StreamRunEvents', { runId: newId() }],
      ['StreamDurableLog', { taskId: newId() }],
    ] as const)
      expect(await monitor.call(method, request), method).toEqual({ status: 404, body: refusal('UNKNOWN_RUN') });
  });

  it('since there is no such method, or workers alone call it', async () => {
    for (const method of ['Nothing', 'listRuns', 'PutLogs', 'ReportProcessEnd', 'ContinueAsNew', '..%2Fversion', ''])
      expect((await monitor.post(`/api/v1/monitor/${method}`, {})).status, method).toBe(404);
  });

  it('since the engine was not started to allow it', async () => {
    const { engine, token } = await engineForTest('no-skips');
    const answer = await new MonitorHttp({ http: engine.http, token }).call('SkipSleep', { taskId: newId(), node: 1 });
    expect(answer).toEqual({ status: 409, body: refusal('DEV_ONLY') });
  });

  it('since it carries no token', async () => {
    const stranger = new MonitorHttp({ http: fixture.engine.http, token: undefined });
    for (const method of ['ListRuns', 'StreamOverview', 'Nothing'])
      expect(await stranger.call(method, {}), method).toEqual({ status: 401, body: refusal('UNAUTHENTICATED') });
  });

  it('since the role of its token is not enough, and the audit log has that', async () => {
    const worker = new MonitorHttp({ http: fixture.engine.http, token: await tokenOf('worker') });
    const viewer = new MonitorHttp({ http: fixture.engine.http, token: await tokenOf('viewer') });
    expect((await viewer.call('ListRuns')).status).toBe(200);
    const denied = { status: 403, body: refusal('PERMISSION_DENIED') };
    expect(await worker.call('SkipSleep', { taskId: napping, node: 1 })).toEqual(denied);
    for (const method of ['SkipSleep', 'BranchTask', 'RestoreTask'])
      expect(await viewer.call(method, { taskId: napping, node: 1 }), method).toEqual(denied);
    await expect
      .poll(async () => {
        const { rows } = await fixture.database.pool.query<{ action: string }>(
          `SELECT action FROM audit_line WHERE outcome = 'PERMISSION_DENIED' ORDER BY id`,
        );
        return rows.map(({ action }) => action);
      })
      .toEqual(
        ['SkipSleep', 'SkipSleep', 'BranchTask', 'RestoreTask'].map((method) => `POST /api/v1/monitor/${method}`),
      );
  });
});

describe('a stream of the monitoring service over HTTP', () => {
  it('tells of what happens while it is open, and of all of it in order', async () => {
    const seen: string[] = [];
    let started: Promise<string> | undefined;
    for await (const { data } of monitor.stream('StreamRunEvents', { workflowNames: ['greet'] })) {
      // Once the stream is live.
      started ??= fixture.hatchet.runNoWait('greet', { name: 'Bob' }).then((run) => run.runId);
      const { events }: { events: { runId: string; type: string }[] } = Object(data);
      const runId = await started;
      seen.push(...events.filter((event) => event.runId === runId).map(({ type }) => type));
      if (seen.includes('RUN_FINISHED')) break;
    }
    const { body } = await monitor.call('ListRunEvents', { runId: await started });
    const { events }: { events: { type: string }[] } = Object(body);
    expect(events.length).toBeGreaterThan(4);
    expect(seen).toEqual(events.map(({ type }) => type));
  });

  it.each<[method: string, request: () => unknown, first: () => unknown]>([
    ['StreamRunEvents', () => ({ runId: ended }), () => ({ events: expect.any(Array), cursor: expect.any(String) })],
    ['ExportRuns', () => ({ filter: { workflowNames: ['greet'] } }), () => ({ input: '{"name":"Bob"}' })],
    ['StreamLogs', () => ({ id: ended }), () => ({ lines: [{ message: 'hello Ada' }] })],
  ])('%s ends with an event that says so', async (method, request, first) => {
    const events = await until(monitor.stream(method, request()), () => false);
    expect(events[0]).toMatchObject({ name: 'message', data: first() });
    expect(events.at(-1)).toEqual({ name: 'end', data: {} });
    expect(events.slice(0, -1).every(({ name }) => name === 'message')).toBe(true);
  });

  it.each<[method: string, request: () => unknown, first: () => unknown]>([
    ['StreamOverview', () => ({}), () => ({ engineVersion: expect.any(String), workers: 1, slotsUsed: 0 })],
    ['StreamSchedules', () => undefined, () => ({ crons: [], cronCount: 0 })],
    ['StreamDurableLog', () => ({ taskId: napping }), () => ({ name: 'naps', live: true })],
  ])('%s stays open', async (method, request, first) => {
    const [event] = await until(monitor.stream(method, request()), () => true);
    expect(event).toMatchObject({ name: 'message', data: first() });
  });

  it('is not kept back on its way', async () => {
    const { headers, body } = await monitor.post('/api/v1/monitor/StreamOverview', {});
    expect(headers.get('content-type')).toBe('text/event-stream');
    expect(headers.get('cache-control')).toBe('no-store');
    await body?.cancel();
  });

  it('takes room for its payloads while they are written, and no longer', async () => {
    const large = fixture.hatchet.task({ name: 'large', fn: () => ({ text: 'x'.repeat(3_900_000) }) });
    await fixture.serve('large', { workflows: [large] });
    const ids = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const run = await large.runNoWait({});
        await run.output;
        return run.runId;
      }),
    );
    await expect.poll(() => answersInFlight.taken).toBe(0);
    // More than connections hold.
    const unread = await monitor.post('/api/v1/monitor/ExportRuns', { filter: { workflowNames: ['large'] } });
    await expect.poll(() => answersInFlight.taken).toBeGreaterThan(3_000_000);
    await unread.body?.cancel();
    await expect.poll(() => answersInFlight.taken).toBe(0);
    expect(await monitor.call('GetRun', { runId: ids[0] })).toMatchObject({ status: 200 });
    await expect.poll(() => answersInFlight.taken).toBe(0);
    const whole = await until(monitor.stream('ExportRuns', { filter: { workflowNames: ['large'] } }), () => false);
    expect(whole).toHaveLength(9);
    await expect.poll(() => answersInFlight.taken).toBe(0);
  });

  it('counts as an open stream until its client goes', async () => {
    // A tenant without a worker, which would have streams of its own.
    const { pool } = fixture.database;
    const { tenantId, token } = await makeNeighbour(pool, fixture.dataDir);
    const neighbour = new MonitorHttp({ http: fixture.engine.http, token });
    const open = [0, 1, 2].map(() => neighbour.stream('StreamOverview'));
    for (const stream of open) expect((await stream.next()).done).toBe(false);
    await pool.query('UPDATE tenant SET limits = $2 WHERE id = $1', [tenantId, JSON.stringify({ openStreams: 3 })]);
    const attempt = async (): Promise<number> => {
      const response = await neighbour.post('/api/v1/monitor/StreamOverview', {});
      await response.body?.cancel();
      return response.status;
    };
    await expect.poll(attempt).toBe(429);
    for (const stream of open) await stream.return(undefined);
    await expect.poll(attempt).toBe(200);
  });

  it('ends with its token, and says so', async () => {
    const token = await tokenOf('viewer');
    const stream = new MonitorHttp({ http: fixture.engine.http, token }).stream('StreamOverview');
    expect((await stream.next()).done).toBe(false);
    await fixture.database.pool.query('UPDATE token SET revoked_at = now() WHERE id = $1', [
      decodeJwt(token)['token_id'],
    ]);
    const events = await until(stream, ({ name }) => name !== 'message');
    expect(events.at(-1)).toEqual({
      name: 'error',
      data: { code: 'UNAUTHENTICATED', description: expect.stringContaining('the token was revoked') },
    });
  });
});
