import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { status, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { faults } from '../../engine/base/faults.ts';
import { RunStatus } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { taskRequest, workflowRequest } from '../helpers/contract-worker.ts';
import { databaseFixture } from '../helpers/database-fixture.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import { ended, spawnEngine, type EngineChild } from '../helpers/engine-process.ts';
import { GrpcClients } from '../helpers/grpc-client.ts';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { patient } from '../helpers/patient.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';

/** Runs in the engine's process before the engine does. */
const before = (code: string): string[] => ['--import', `data:text/javascript,${encodeURIComponent(code)}`];
const outcome = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'OK',
    (error: ServiceError) => `${status[error.code]}: ${error.details}`,
  );

describe('the process', () => {
  const database = databaseFixture();
  const dataDir = makeTempFolder('edge-faults');
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));
  let engine: EngineChild | undefined;
  let clients: GrpcClients;
  const start = async (code = ''): Promise<void> => {
    engine = await spawnEngine(
      { databaseUrl: database.url, dataDir, grpcPort: 0, httpPort: 0, logLevel: 'info' },
      code === '' ? [] : before(code),
    );
    clients = new GrpcClients(engine.ready.grpc, engine.ready.token);
    await clients.call(clients.admin, clients.admin.putWorkflow, workflowRequest('one', [taskRequest('only', {})]));
  };
  const isAlive = (): Promise<string> =>
    outcome(
      clients.call(clients.workflows, clients.workflows.triggerWorkflow, {
        name: 'one',
        input: '{}',
        desiredWorkerLabels: {},
      }),
    );

  it('survives a bulk call of which the first run fails later and the second at once', async () => {
    await start();
    const workflows = [
      { name: 'unknown', input: '{}', desiredWorkerLabels: {} },
      { name: 'one', input: '{}', desiredWorkerLabels: {}, childKey: 'x'.repeat(1001) },
    ];
    expect(
      await outcome(clients.call(clients.workflows, clients.workflows.bulkTriggerWorkflow, { workflows })),
    ).toMatch(/^(?:NOT_FOUND|INVALID_ARGUMENT)/);
    expect(await isAlive()).toBe('OK');
    expect(engine?.log()).not.toContain('UNHANDLED_REJECTION');
    clients.close();
    await engine?.end('SIGTERM');
  });

  it('logs a rejection that nobody listens to, and goes on', async () => {
    await start('setTimeout(() => { void Promise.reject(new Error("nobody listens")); }, 3000);');
    await vi.waitFor(() => expect(engine?.log()).toContain('"code":"UNHANDLED_REJECTION"'), patient);
    expect(engine?.log()).toContain('nobody listens');
    expect(await isAlive()).toBe('OK');
    clients.close();
    await engine?.end('SIGTERM');
  });

  it('ends in order after an exception that nobody caught, and its successor begins from what was stored', async () => {
    await start('setTimeout(() => { throw new Error("nobody caught it"); }, 3000);');
    expect(await isAlive()).toBe('OK');
    const child = engine?.child;
    if (child === undefined) throw new Error('no engine');
    child.removeAllListeners('exit'); // that it ends is what is tested
    await ended(child);
    expect(child.exitCode).toBe(1);
    expect(engine?.log()).toMatch(/nobody caught it.*"code":"UNCAUGHT_EXCEPTION"/);
    expect(existsSync(join(dataDir, 'engine.json'))).toBe(false);
    clients.close();
    const { rows } = await database.client.query<{ owned: string }>(
      'SELECT count(*) AS owned FROM shard WHERE owner IS NOT NULL',
    );
    expect(rows[0]?.owned).toBe('0');
    await start();
    expect(await isAlive()).toBe('OK');
    clients.close();
    await engine?.end('SIGTERM');
  });
});

describe('values that Postgres refuses', () => {
  const fixture = engineFixture('edge-faults');
  let clients: GrpcClients;
  let stranger: GrpcClients;
  let runId: string;

  beforeAll(async () => {
    ({ clients } = fixture);
    const { token } = await makeNeighbour(fixture.database.pool, fixture.dataDir);
    stranger = new GrpcClients(fixture.engine.grpc, token);
    for (const each of [clients, stranger])
      await each.call(each.admin, each.admin.putWorkflow, workflowRequest('one', [taskRequest('only', {})]));
    ({ workflowRunId: runId } = await clients.call(clients.workflows, clients.workflows.triggerWorkflow, {
      name: 'one',
      input: '{}',
      desiredWorkerLabels: {},
    }));
  });

  afterAll(() => stranger.close());

  const log = (by: GrpcClients, id: string, createdAt: Date): Promise<unknown> =>
    by.call(by.events, by.events.putLog, {
      taskRunExternalId: id,
      createdAt,
      message: 'line',
      level: 'INFO',
      metadata: '',
      taskRetryCount: 0,
    });
  const far = new Date(8_640_000_000_000_000);
  const rest = async (method: string, path: string, body?: object): Promise<string> => {
    const { engine, hatchet } = fixture;
    const response = await fetch(`http://127.0.0.1:${engine.http.port}${path.replace(':tenant', hatchet.tenantId)}`, {
      method,
      headers: { authorization: `Bearer ${engine.token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return `${response.status === 400 ? 'INVALID_ARGUMENT' : response.status}: ${await response.text()}`;
  };

  it.each<[string, () => Promise<string>]>([
    ['a log line of the year 275,760', () => outcome(log(clients, runId, far))],
    [
      'a stream chunk of index 2^63 - 1',
      () =>
        outcome(
          clients.call(clients.events, clients.events.putStreamEvent, {
            taskRunExternalId: runId,
            createdAt: new Date(),
            message: Buffer.from('x'),
            metadata: '',
            eventIndex: 2n ** 63n - 1n,
          }),
        ),
    ],
    [
      'a schedule of the year 275,760',
      () =>
        outcome(
          clients.call(clients.workflows, clients.workflows.scheduleWorkflow, {
            name: 'one',
            schedules: [far],
            input: '{}',
          }),
        ),
    ],
    [
      'a worker whose name of an action has NUL',
      () =>
        outcome(
          clients.call(clients.dispatcher, clients.dispatcher.register, {
            workerName: 'w',
            actions: ['a\0b'],
            services: [],
            labels: {},
            slotConfig: {},
          }),
        ),
    ],
    [
      'a worker whose label has NUL',
      () =>
        outcome(
          clients.call(clients.dispatcher, clients.dispatcher.register, {
            workerName: 'w',
            actions: [],
            services: [],
            labels: { 'a\0b': { strValue: 'x' } },
            slotConfig: {},
          }),
        ),
    ],
    [
      'a cron of two million characters',
      () =>
        outcome(
          clients.call(
            clients.admin,
            clients.admin.putWorkflow,
            workflowRequest('crons', [taskRequest('only', {})], {
              cronTriggers: [`${'0,'.repeat(1_000_000)}0 * * * *`],
            }),
          ),
        ),
    ],
    [
      'a cursor of log lines that is none',
      () =>
        outcome(clients.call(clients.monitor, clients.monitor.listLogs, { id: runId, levels: [], after: "1'; --" })),
    ],
    [
      'a search with NUL',
      () =>
        outcome(
          clients.call(clients.monitor, clients.monitor.listRuns, {
            statuses: [],
            workflowNames: [],
            metadata: {},
            search: 'a\0b',
          }),
        ),
    ],
    [
      'metadata terms with NUL',
      () =>
        outcome(
          clients.call(clients.monitor, clients.monitor.listRuns, {
            statuses: [],
            workflowNames: [],
            metadata: { 'a\0': 'b' },
          }),
        ),
    ],
    [
      'a negative retry count',
      () =>
        outcome(
          clients.call(clients.events, clients.events.putLog, {
            taskRunExternalId: runId,
            createdAt: new Date(),
            message: 'line',
            level: 'INFO',
            metadata: '',
            taskRetryCount: -1,
          }),
        ),
    ],
    [
      'half of a surrogate pair in metadata',
      () =>
        rest('POST', '/api/v1/stable/tenants/:tenant/workflow-runs/trigger', {
          workflowName: 'one',
          input: {},
          additionalMetadata: { a: '\ud800' },
        }),
    ],
    [
      'half of a surrogate pair in a scope',
      () => rest('POST', '/api/v1/tenants/:tenant/events', { key: 'k', data: {}, scope: '\ud800' }),
    ],
    [
      'NUL in a filter of replays',
      () =>
        rest('POST', '/api/v1/stable/tenants/:tenant/tasks/replay', {
          filter: { since: '2026-01-01T00:00:00Z', additionalMetadata: ['a:b\0'] },
        }),
    ],
  ])('%s is refused at the edge', async (_, call) => {
    const refused = faults.statementsRefused;
    expect(await call()).toMatch(/^INVALID_ARGUMENT/);
    expect(faults.statementsRefused).toBe(refused);
  });

  it('a selection of runs since the year 275,760 finds nothing, as any other does that begins after now', async () => {
    const { rows } = await clients.call(clients.monitor, clients.monitor.listRuns, {
      statuses: [],
      workflowNames: [],
      metadata: {},
      since: far,
    });
    expect(rows).toEqual([]);
  });

  it.each<[string, { statuses: string[]; additionalMetadata: string[] }]>([
    ['a status that is none', { statuses: ['HAPPY'], additionalMetadata: [] }],
    ['a metadata term without a colon', { statuses: [], additionalMetadata: ['term'] }],
  ])('a selection with %s is refused before the ids beside it are cancelled or replayed', async (_, wrong) => {
    const filter = { since: new Date(0), workflowIds: [], ...wrong };
    for (const said of [
      await outcome(clients.call(clients.admin, clients.admin.cancelTasks, { externalIds: [runId], filter })),
      await outcome(clients.call(clients.admin, clients.admin.replayTasks, { externalIds: [runId], filter })),
      await rest('POST', '/api/v1/stable/tenants/:tenant/tasks/cancel', { externalIds: [runId], filter }),
      await rest('POST', '/api/v1/stable/tenants/:tenant/tasks/replay', { externalIds: [runId], filter }),
    ])
      expect(said).toMatch(/^INVALID_ARGUMENT/);
    const { run } = await clients.call(clients.monitor, clients.monitor.getRun, { runId });
    expect(run?.status).toBe(RunStatus.RUN_STATUS_QUEUED);
  });

  it('a stream of log lines begins at the start where its cursor is empty', async () => {
    const { workflowRunId } = await clients.call(clients.workflows, clients.workflows.triggerWorkflow, {
      name: 'one',
      input: '{}',
      desiredWorkerLabels: {},
    });
    await log(clients, workflowRunId, new Date());
    await clients.call(clients.admin, clients.admin.cancelTasks, { externalIds: [workflowRunId] });
    const lines: string[] = [];
    for await (const page of clients.monitor.streamLogs({ id: workflowRunId, after: '' }, clients.metadata()))
      lines.push(...page.lines.map((line: { message: string }) => line.message));
    expect(lines).toEqual(['line']);
  });

  it("one tenant's line never costs another's: they are written together", async () => {
    const { workflowRunId: strangers } = await stranger.call(stranger.workflows, stranger.workflows.triggerWorkflow, {
      name: 'one',
      input: '{}',
      desiredWorkerLabels: {},
    });
    const said = await Promise.all(
      [log(stranger, strangers, new Date()), log(clients, runId, far), log(stranger, strangers, new Date())].map(
        outcome,
      ),
    );
    expect(said.map((each) => each.slice(0, 16))).toEqual(['OK', 'INVALID_ARGUMENT', 'OK']);
    const { rows } = await fixture.database.pool.query<{ count: string }>(
      'SELECT count(*) FROM log_line WHERE task_id = $1',
      [strangers],
    );
    expect(rows[0]?.count).toBe('2');
  });
});
