import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startEngine, type EngineOptions, type RunningEngine } from '../../engine/index.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import { TriggerWorkflowRequest } from '../../proto/gen/hatchet/contract/v1/trigger.ts';
import { TriggerWorkflowResponse } from '../../proto/gen/hatchet/contract/workflows.ts';
import { Hatchet, type ClientOptions } from '../../sdk/index.ts';
import { codeOf } from '../helpers/contract-fixture.ts';
import { taskRequest, workflowRequest } from '../helpers/contract-worker.ts';
import { databaseForTest, type DatabaseFixture } from '../helpers/database-fixture.ts';
import { packageRoot } from '../helpers/engine-process.ts';
import { GrpcClients } from '../helpers/grpc-client.ts';
import { MonitorHttp } from '../helpers/monitor-http.ts';
import { quiet } from '../helpers/quiet-logger.ts';
import { portOfDefaultTenant, untilShared } from '../helpers/replica-parts.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';

const folder = makeTempFolder('replica-calls');
const secretKeyFile = join(folder, 'secret.key');
const pem = (name: string): string => join(packageRoot, 'test/fixtures/tls', `${name}.pem`);

beforeAll(() => writeFileSync(secretKeyFile, randomBytes(32).toString('base64')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Pair {
  /** It has the shard of the tenant `default`. */
  owner: RunningEngine;
  other: RunningEngine;
  database: DatabaseFixture;
}

/** Two engines on one database, until the test ends. */
async function pair(options: EngineOptions = {}): Promise<Pair> {
  const database = await databaseForTest();
  const engines: RunningEngine[] = [];
  onTestFinished(async () => void (await Promise.all(engines.map((engine) => engine.stop()))));
  for (const name of ['a', 'b'])
    engines.push(
      await startEngine({
        databaseUrl: database.url,
        dataDir: join(folder, newId(), name),
        secretKeyFile,
        grpcPort: 0,
        httpPort: 0,
        logLevel: 'silent',
        ...options,
      }),
    );
  await untilShared(database.url);
  const [first, second] = engines;
  if (first === undefined || second === undefined) throw new Error('there are two engines');
  // Only the engine that has the shard carries commands out: the other one passes them on.
  const served = await portOfDefaultTenant(database.url);
  return served === first.grpc.port
    ? { owner: first, other: second, database }
    : { owner: second, other: first, database };
}

function clientsOf(engine: RunningEngine, token = engine.token): GrpcClients {
  const clients = new GrpcClients(engine.grpc, token);
  onTestFinished(() => clients.close());
  return clients;
}

interface HttpCall {
  method: string;
  path: string;
  body?: string;
  headers?: Record<string, string>;
  /** Another loopback address is another client. */
  from?: string;
}

async function http(engine: RunningEngine, call: HttpCall): Promise<{ status: number; body: string }> {
  const { method, path, body, headers = {}, from } = call;
  const sent = request({
    host: '127.0.0.1',
    port: engine.http.port,
    method,
    path,
    headers: { authorization: `Bearer ${engine.token}`, 'content-type': 'application/json', ...headers },
    ...(from === undefined ? {} : { localAddress: from }),
  });
  const answered = once(sent, 'response');
  sent.end(body);
  const [response] = await answered;
  return { status: response.statusCode, body: await text(response) };
}

async function put(clients: GrpcClients): Promise<void> {
  await clients.call(clients.admin, clients.admin.putWorkflow, workflowRequest('one', [taskRequest('only')]));
}

async function tenantOf({ client }: DatabaseFixture): Promise<string> {
  return (await client.query<{ id: string }>(`SELECT id FROM tenant WHERE name = 'default'`)).rows[0]?.id ?? '';
}

describe('a call for a tenant of another engine', () => {
  it('is carried out there, by gRPC and by HTTP, with its body', async () => {
    const { other, database } = await pair();
    const clients = clientsOf(other);
    await put(clients);
    const tenant = await tenantOf(database);
    // Bodies that are kept, and one that is piped on.
    for (const length of [10, 60_000, 3_000_000]) {
      const input = { text: 'x'.repeat(length) };
      const path = `/api/v1/stable/tenants/${tenant}/workflow-runs/trigger`;
      const { status: code, body } = await http(other, {
        method: 'POST',
        path,
        body: JSON.stringify({ workflowName: 'one', input }),
      });
      expect([code, body.slice(0, 200)]).toEqual([200, expect.stringContaining('"run"')]);
      const { run }: { run: { metadata: { id: string } } } = JSON.parse(body);
      const { rows } = await database.client.query<{ length: number }>(
        'SELECT length(input) AS length FROM run WHERE id = $1',
        [run.metadata.id],
      );
      expect(rows[0]?.length).toBeGreaterThan(length);
      const read = await http(other, { method: 'GET', path: `/api/v1/stable/workflow-runs/${run.metadata.id}/status` });
      expect(read).toEqual({ status: 200, body: expect.stringContaining('QUEUED') });
    }
  });

  it('is carried out with fields and metadata of a later version, which are left out', async () => {
    const { other, database } = await pair();
    await put(clientsOf(other));
    const raw = new Client(`${other.grpc.host}:${other.grpc.port}`, credentials.createInsecure());
    onTestFinished(() => raw.close());
    const metadata = new Metadata();
    metadata.set('authorization', `bearer ${other.token}`);
    metadata.set('hatchet-later', 'of a later version');
    const known = TriggerWorkflowRequest.encode({ name: 'one', input: '{"n":1}', desiredWorkerLabels: {} }).finish();
    // Field 2000, a number; and field 2001, a message of two bytes.
    const later = Buffer.from([0x80, 0x7d, 0x07, 0x8a, 0x7d, 0x02, 0x08, 0x01]);
    const asIs = (bytes: Buffer): Buffer => bytes;
    const answer = await new Promise<Buffer>((resolve, reject) =>
      raw.makeUnaryRequest(
        '/WorkflowService/TriggerWorkflow',
        asIs,
        asIs,
        Buffer.concat([later, Buffer.from(known), later]),
        metadata,
        (error, value) => (value === undefined ? reject(error ?? new Error('there was no answer')) : resolve(value)),
      ),
    );
    const { workflowRunId } = TriggerWorkflowResponse.decode(answer);
    const { rows } = await database.client.query('SELECT input FROM run WHERE id = $1', [workflowRunId]);
    expect(rows).toEqual([{ input: '{"n":1}' }]);
  });

  it('is refused for what is too long of its head by whichever engine it comes to, and carried out up to there', async () => {
    const { owner, other, database } = await pair();
    const tenant = await tenantOf(database);
    const statusOf = async (engine: RunningEngine, length: number, headers = {}): Promise<number> =>
      (await http(engine, { method: 'GET', path: `/api/v1/tenants/${tenant}?x=${'a'.repeat(length)}`, headers }))
        .status;
    const [here, there] = [new Map<number, number>(), new Map<number, number>()];
    for (let length = 65_000; length < 66_000; length += 20) {
      here.set(length, await statusOf(owner, length));
      there.set(length, await statusOf(other, length));
    }
    expect(new Set(here.values())).toEqual(new Set([200, 400]));
    expect(new Set(there.values())).toEqual(new Set([200, 400]));
    const longest = (statuses: Map<number, number>): number =>
      Math.max(...[...statuses].flatMap(([length, code]) => (code === 200 ? [length] : [])));
    // Between the engines their own names stand in the address.
    expect(Math.abs(longest(there) - longest(here))).toBeLessThan(200);
    const note = { 'x-note': 'n'.repeat(40_000) };
    for (const engine of [owner, other]) {
      expect(await statusOf(engine, 60_000, note)).toBe(200);
      expect(await statusOf(engine, 60_000, { 'x-note': 'n'.repeat(80_000) })).toBe(431);
    }
  });

  it('may be a stream over HTTP, which goes on as it does there, or a link to the page', async () => {
    const { owner, other } = await pair();
    await put(clientsOf(other));
    const monitor = new MonitorHttp({ http: other.http, token: other.token });
    const stream = monitor.stream('StreamRunEvents', { workflowNames: ['one'] });
    expect((await stream.next()).value).toMatchObject({ data: { events: [], live: true } });
    const clients = clientsOf(owner);
    const { workflowRunId } = await clients.call(clients.workflows, clients.workflows.triggerWorkflow, {
      name: 'one',
      input: '{}',
      desiredWorkerLabels: {},
    });
    expect((await stream.next()).value).toMatchObject({
      data: { events: expect.arrayContaining([expect.objectContaining({ runId: workflowRunId })]) },
    });
    await stream.return(undefined);
    expect(await monitor.call('GetRun', { runId: newId() })).toMatchObject({
      status: 404,
      body: { errors: [{ code: 'UNKNOWN_RUN' }] },
    });
    for (const [made, used] of [
      [other, owner],
      [owner, other],
      [other, other],
    ] as const) {
      const link = await http(made, { method: 'POST', path: '/api/v1/page/links' });
      const { code }: { code: string } = JSON.parse(link.body);
      const signIn = (): ReturnType<typeof http> =>
        http(used, { method: 'POST', path: '/api/v1/page/sign-in', body: JSON.stringify({ code }) });
      expect(await signIn()).toMatchObject({ status: 200, body: expect.stringContaining(made.token) });
      expect(await signIn()).toMatchObject({ status: 401, body: expect.stringContaining('LINK_REFUSED') });
    }
  });

  it('may be long: a bulk trigger of 20 MB', async () => {
    const { other, database } = await pair();
    const clients = clientsOf(other);
    await put(clients);
    const input = JSON.stringify({ text: 'y'.repeat(2_000_000) });
    const reply = await clients.call(clients.workflows, clients.workflows.bulkTriggerWorkflow, {
      workflows: Array.from({ length: 10 }, () => ({ name: 'one', input, desiredWorkerLabels: {} })),
    });
    expect(reply.workflowRunIds).toHaveLength(10);
    expect((await database.client.query('SELECT FROM run')).rows).toHaveLength(10);
  });

  it('has the address of its client in the audit log, and no client can write another one there', async () => {
    const { other, database } = await pair();
    await put(clientsOf(other));
    const path = `/api/v1/stable/tenants/${await tenantOf(database)}/workflow-runs/trigger`;
    const call = { method: 'POST', path, body: JSON.stringify({ workflowName: 'one', input: {} }), from: '127.0.0.9' };
    expect((await http(other, call)).status).toBe(200);
    const forged = { 'hatchet-forwarded-for': 'v1:0000000000000000:AAAA' };
    expect((await http(other, { ...call, headers: forged })).status).toBe(200);
    const addresses = async (): Promise<string[]> =>
      (
        await database.client.query<{ address: string }>(`SELECT address FROM audit_line WHERE action LIKE 'POST %'`)
      ).rows.map(({ address }) => address);
    await expect.poll(addresses).toEqual(['127.0.0.9', '127.0.0.9']);
  });

  it('is refused where its token is no good, and where it is malformed', async () => {
    const { other } = await pair();
    const stranger = clientsOf(other, `${other.token}x`);
    expect((await codeOf(put(stranger))).code).toBe(status.UNAUTHENTICATED);
    const clients = clientsOf(other);
    const unknown = await codeOf(
      clients.call(clients.admin, clients.admin.triggerWorkflowRun, {
        workflowName: 'nobody',
        input: Buffer.from('{}'),
        additionalMetadata: Buffer.from(''),
        desiredWorkerLabels: {},
      }),
    );
    expect(unknown).toEqual({
      code: status.NOT_FOUND,
      message: expect.stringContaining('there is no workflow "nobody"'),
    });
    expect((await http(other, { method: 'GET', path: '/api/v1/stable/workflow-runs/x' })).status).toBe(404);
  });
});

describe('engines with certificates', () => {
  it.each<[string, EngineOptions, ClientOptions['tlsConfig']]>([
    [
      'TLS',
      { tls: { certFile: pem('server'), keyFile: pem('server-key') } },
      { strategy: 'tls', caFile: pem('authority') },
    ],
    [
      'mTLS',
      { tls: { certFile: pem('server'), keyFile: pem('server-key'), clientCaFile: pem('authority') } },
      { strategy: 'mtls', caFile: pem('authority'), certFile: pem('client'), keyFile: pem('client-key') },
    ],
    // Nobody has signed it: the others know it from the database.
    [
      'TLS with a certificate of its own',
      { tls: { certFile: pem('stranger'), keyFile: pem('stranger-key') } },
      { strategy: 'tls', caFile: pem('stranger'), serverName: 'stranger' },
    ],
  ])('know each other by what the database holds: %s', async (_, options, tlsConfig) => {
    const { other } = await pair(options);
    const hatchet = Hatchet.init({ token: other.token, tlsConfig, logger: () => quiet });
    onTestFinished(() => hatchet.close());
    const task = hatchet.task({ name: 'double', fn: ({ n }: { n: number }) => ({ n: 2 * n }) });
    const worker = await hatchet.worker('worker', { handleKill: false, workflows: [task] });
    const running = worker.start();
    onTestFinished(() => worker.stop().then(() => running));
    await worker.waitUntilReady();
    expect(await task.run({ n: 4 })).toEqual({ n: 8 });
    expect((await hatchet.workers.list()).rows).toHaveLength(1);
  });
});
