import { Client, credentials, Metadata, status, type ClientReadableStream, type ServiceError } from '@grpc/grpc-js';
import type { DescMethod } from '@bufbuild/protobuf';
import { exportJWK, generateKeyPair, SignJWT, decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { KeyRing } from '../../engine/auth/key-ring.ts';
import { mayCall, roles, type Permission, type Role } from '../../engine/auth/role.ts';
import { Tokens } from '../../engine/auth/tokens.ts';
import { methodRules } from '../../engine/edge/access/method-rules.ts';
import { routeRules } from '../../engine/edge/access/route-rules.ts';
import { Hatchet } from '../../sdk/index.ts';
import { GrpcClients } from '../helpers/grpc-client.ts';
import { describedMethods, pathOf } from '../helpers/fuzz/fuzz-grpc.ts';
import { routes } from '../helpers/fuzz/fuzz-rest.ts';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { patient } from '../helpers/patient.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import { tenantOf } from '../helpers/tenant.ts';

/** Every method and route × every role × each state of a token: who may call what is one table, and this walks it. */
const fixture = engineFixture('access');
const addresses = { serverUrl: 'http://127.0.0.1:1', grpcBroadcastAddress: '127.0.0.1:1' };
let tokens: Tokens;
let tenantId: string;
let client: Client;
let methods: DescMethod[];
/** Good tokens by role, tokens that are none, and one of another tenant's admin. */
let good: Record<Role, string>;
let bad: Record<'none' | 'expired' | 'revoked' | 'forged' | 'garbage', string | undefined>;
let stranger: { tenantId: string; token: string };
/** Of the tenant's own things, by the name of a route's parameter. */
let own: Record<string, string>;

beforeAll(async () => {
  client = new Client(`127.0.0.1:${fixture.engine.grpc.port}`, credentials.createInsecure());
  methods = await describedMethods();
  tokens = new Tokens(fixture.database.pool, await KeyRing.open(fixture.database.pool, { dataDir: fixture.dataDir }));
  stranger = await makeNeighbour(fixture.database.pool, fixture.dataDir);
  const hatchet = Hatchet.init({
    token: fixture.engine.token,
    logger: () => ({ debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }),
  });
  tenantId = hatchet.tenantId;
  const task = hatchet.task({ name: 'own', fn: () => ({}) });
  const worker = await hatchet.worker('own', { workflows: [task], handleKill: false });
  void worker.start();
  await worker.waitUntilReady();
  const run = await task.runNoWait({});
  await run.output;
  const runId = await run.getWorkflowRunId();
  const workflow = (await hatchet.workflows.get('own')).metadata.id;
  own = {
    tenant: tenantId,
    run: runId,
    task: runId,
    workflow,
    worker: (await hatchet.workers.list()).rows?.[0]?.metadata.id ?? '',
    event: (await hatchet.events.push('heard by nobody', {})).eventId,
    filter: (await hatchet.filters.create({ workflowId: workflow, scope: 's', expression: 'true' })).metadata.id,
    cron: (await hatchet.crons.create('own', { name: 'yearly', expression: '0 0 1 1 *' })).metadata.id,
    schedule: (await hatchet.scheduled.create('own', { triggerAt: new Date(Date.now() + 86_400_000) })).metadata.id,
    webhook: 'none',
  };
  await worker.stop();
  hatchet.close();
  const create = (role: Role, expiresInDays?: number): Promise<string> =>
    tokens.create({ tenantId: tenantOf(tenantId), name: role, role, expiresInDays, addresses });
  good = {
    viewer: await create('viewer'),
    trigger: await create('trigger'),
    worker: await create('worker'),
    admin: await create('admin'),
  };
  const revoked = await create('admin');
  await tokens.revoke(tenantOf(tenantId), String(decodeJwt(revoked)['token_id']));
  bad = {
    none: undefined,
    expired: await create('admin', -1),
    revoked,
    forged: await forged(good.admin),
    garbage: 'x.y.z',
  };
});

afterAll(async () => {
  client.close();
});

/** The same claims and key id, signed with another key. */
async function forged(token: string): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  expect(await exportJWK(privateKey)).toHaveProperty('d');
  return new SignJWT(decodeJwt(token))
    .setProtectedHeader({ alg: 'ES256', kid: decodeProtectedHeader(token).kid ?? '' })
    .sign(privateKey);
}

/** The code's name; a stream that is open and well counts as OK. */
function callMethod(method: DescMethod, token: string | undefined): Promise<string> {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `bearer ${token}`);
  const same = (bytes: Buffer): Buffer => bytes;
  const nothing = Buffer.alloc(0);
  const nameOf = (error: ServiceError | null): string =>
    error === null ? 'OK' : (status[error.code] ?? String(error.code));
  if (method.methodKind === 'unary')
    return new Promise(
      (resolve) =>
        void client.makeUnaryRequest(pathOf(method), same, same, nothing, metadata, (error) => resolve(nameOf(error))),
    );
  return new Promise((resolve) => {
    const watch = (call: ClientReadableStream<Buffer>): void => {
      call.on('data', () => {
        resolve('OK');
        call.cancel();
      });
      call.on('end', () => resolve('OK'));
      call.on('error', (error: ServiceError) => resolve(nameOf(error)));
    };
    if (method.methodKind === 'server_streaming')
      return watch(client.makeServerStreamRequest(pathOf(method), same, same, nothing, metadata));
    const call = client.makeBidiStreamRequest(pathOf(method), same, same, metadata);
    watch(call);
    call.end();
  });
}

async function callRoute(route: string, token: string | undefined, ids: Record<string, string> = own): Promise<number> {
  const [method = 'GET', pattern = '/'] = route.split(' ');
  const path = pattern.replaceAll(/:(\w+)/g, (_, name: string) => ids[name] ?? 'none');
  const response = await fetch(`http://127.0.0.1:${fixture.engine.http.port}${path}`, {
    method,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(method === 'GET' ? {} : { body: '{}' }),
  });
  // A stream that is open and well is left.
  if (response.headers.get('content-type') === 'text/event-stream') await response.body?.cancel();
  else await response.arrayBuffer();
  return response.status;
}

/** Routes that name neither a tenant nor anything of one: they answer with what is the token's own. */
const isOfToken = (route: string): boolean => /\/(?:monitor|page)\//.test(route);

const needsOf = (path: string): Permission | undefined =>
  Object.hasOwn(methodRules, path)
    ? Object.entries(methodRules).find(([known]) => known === path)?.[1].needs
    : undefined;
const refusals = ['UNAUTHENTICATED', 'PERMISSION_DENIED'];
/** What a webhook receives is checked by its own credentials. */
const receiver = 'POST /api/v1/stable/tenants/:tenant/webhooks/:webhook';

describe('every method', () => {
  it('has a rule of who may call it', () => {
    expect(methods.map(pathOf).filter((path) => needsOf(path) === undefined)).toEqual([]);
    expect(Object.keys(methodRules).filter((path) => !methods.some((method) => pathOf(method) === path))).toEqual([]);
  });

  it('takes exactly the roles that its rule names', async () => {
    const wrong: string[] = [];
    let cells = 0;
    for (const method of methods) {
      const needs = needsOf(pathOf(method)) ?? 'admin';
      for (const role of roles) {
        const outcome = await callMethod(method, good[role]);
        cells++;
        const isRight = mayCall(role, needs) ? !refusals.includes(outcome) : outcome === 'PERMISSION_DENIED';
        if (!isRight) wrong.push(`${pathOf(method)} as ${role}: ${outcome}`);
      }
    }
    process.stderr.write(`access: ${cells} cells of methods × roles\n`);
    expect(wrong).toEqual([]);
  });

  it('refuses what is no good token', async () => {
    const wrong: string[] = [];
    for (const method of methods) {
      for (const [what, token] of Object.entries(bad)) {
        const outcome = await callMethod(method, token);
        const isRight =
          needsOf(pathOf(method)) === 'anyone' ? !refusals.includes(outcome) : outcome === 'UNAUTHENTICATED';
        if (!isRight) wrong.push(`${pathOf(method)} with ${what}: ${outcome}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('every route', () => {
  it('takes exactly the roles that its rule names', async () => {
    const wrong: string[] = [];
    let cells = 0;
    for (const route of routes) {
      if (route === receiver) continue;
      // Deletions come last, or what the others ask for is gone.
      const { needs } = routeRules[route];
      for (const role of roles) {
        if (route.startsWith('DELETE ') && mayCall(role, needs)) continue;
        const outcome = await callRoute(route, good[role]);
        cells++;
        const isRight = mayCall(role, needs) ? outcome !== 401 && outcome !== 403 : outcome === 403;
        if (!isRight) wrong.push(`${route} as ${role}: ${outcome}`);
      }
    }
    process.stderr.write(`access: ${cells} cells of routes × roles\n`);
    expect(wrong).toEqual([]);
  });

  it('refuses what is no good token', async () => {
    const wrong: string[] = [];
    for (const route of routes) {
      if (route === receiver) continue;
      for (const [what, token] of Object.entries(bad)) {
        const outcome = await callRoute(route, token);
        // An empty body names no link.
        const isRight = routeRules[route].needs === 'anyone' ? outcome === 200 || outcome === 400 : outcome === 401;
        if (!isRight) wrong.push(`${route} with ${what}: ${outcome}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("another tenant's admin finds nothing of ours, and changes nothing", async () => {
    const wrong: string[] = [];
    for (const route of routes) {
      if (route === receiver || routeRules[route].needs === 'anyone' || isOfToken(route)) continue;
      const outcome = await callRoute(route, stranger.token);
      // With our tenant in the path, or by our ids: as if there were nothing. A body that is refused first names nothing either.
      if (![400, 404, 501].includes(outcome)) wrong.push(`${route}: ${outcome}`);
    }
    expect(wrong).toEqual([]);
    for (const route of routes.filter((each) => each.startsWith('DELETE ')))
      await callRoute(route, stranger.token, { ...own, tenant: stranger.tenantId });
    for (const name of ['cron', 'schedule', 'filter'] as const) {
      const route = routes.find((each) => each.startsWith('GET ') && each.endsWith(`/:${name}`)) ?? '';
      expect(await callRoute(route, good.admin), route).toBe(200);
    }
  });
});

describe("a worker's token", () => {
  it('is enough for a worker from its start to its stop: nothing that it does is refused', async () => {
    const hatchet = Hatchet.init({
      token: good.worker,
      hostPort: `127.0.0.1:${fixture.engine.grpc.port}`,
      apiUrl: `http://127.0.0.1:${fixture.engine.http.port}`,
      logger: () => ({ debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }),
    });
    const refusals = async (): Promise<unknown[]> =>
      (
        await fixture.database.pool.query(
          `SELECT action FROM audit_line WHERE outcome = 'PERMISSION_DENIED' AND token_id = $1 AND action = 'PATCH /api/v1/workers/:worker'`,
          [decodeJwt(good.worker)['token_id']],
        )
      ).rows;
    const task = hatchet.task({ name: 'stops-by-itself', fn: () => ({ ran: true }) });
    const worker = await hatchet.worker('stops', { workflows: [task], handleKill: false });
    const running = worker.start();
    await worker.waitUntilReady();
    expect(await task.run({})).toEqual({ ran: true });
    await worker.pause();
    await worker.unpause();
    await worker.stop();
    await running;
    expect(await refusals()).toEqual([]);
    hatchet.close();
  });
});

describe('open calls', () => {
  it.each(['revoked', 'expired'] as const)(
    'end soon after their token was %s, and a worker gets nothing more',
    async (how) => {
      const expiresInDays = how === 'expired' ? 3 / 86_400 : 1;
      const token = await tokens.create({ tenantId: tenantOf(tenantId), name: how, expiresInDays, addresses });
      const clients = new GrpcClients(fixture.engine.grpc, token);
      try {
        const { workerId } = await clients.call(clients.dispatcher, clients.dispatcher.register, {
          workerName: how,
          actions: ['x:y'],
          services: [],
          labels: {},
          slotConfig: {},
        });
        const endings = new Map<string, string>();
        const watch = (name: string, call: ClientReadableStream<unknown>): void => {
          call.on('data', () => undefined);
          call.on('error', (error: ServiceError) => endings.set(name, `${status[error.code]}: ${error.details}`));
          call.on('end', () => endings.set(name, endings.get(name) ?? 'OK'));
        };
        watch('worker', clients.dispatcher.listenV2({ workerId }, clients.metadata()));
        watch('overview', clients.monitor.streamOverview({}, clients.metadata()));
        watch('journal', clients.monitor.streamRunEvents({ workflowNames: [] }, clients.metadata()));
        watch('runs', clients.dispatcher.subscribeToWorkflowRuns(clients.metadata()));
        watch('durable', clients.durable.durableTask(clients.metadata()));
        if (how === 'revoked')
          await fixture.database.pool.query('UPDATE token SET revoked_at = now() WHERE id = $1', [
            decodeJwt(token)['token_id'],
          ]);
        await vi.waitFor(
          () => expect([...endings.keys()].sort()).toEqual(['durable', 'journal', 'overview', 'runs', 'worker']),
          patient,
        );
        for (const ending of endings.values())
          expect(ending).toMatch(
            how === 'revoked' ? /^UNAUTHENTICATED: the token was revoked/ : /^UNAUTHENTICATED: the token has expired/,
          );
        await vi.waitFor(
          async () =>
            expect(
              await clients.call(clients.dispatcher, clients.dispatcher.heartbeat, { workerId }).then(
                () => 'OK',
                (error: ServiceError) => status[error.code],
              ),
            ).toBe('UNAUTHENTICATED'),
          patient,
        );
      } finally {
        clients.close();
      }
    },
  );
});

describe('the audit log', () => {
  it('names who changed what, from where and how it ended; reads and reports leave no line', async () => {
    const before = Number(
      (await fixture.database.pool.query<{ count: string }>('SELECT count(*) FROM audit_line')).rows[0]?.count,
    );
    const clients = new GrpcClients(fixture.engine.grpc, good.worker);
    const { workflowRunId } = await clients.call(clients.workflows, clients.workflows.triggerWorkflow, {
      name: 'own',
      input: '{}',
      desiredWorkerLabels: {},
    });
    await clients.call(clients.admin, clients.admin.getRunDetails, { externalId: workflowRunId });
    await clients.call(clients.admin, clients.admin.cancelTasks, { externalIds: [workflowRunId] });
    clients.close();
    await callRoute('PATCH /api/v1/workflows/:workflow', good.viewer);
    await vi.waitFor(async () => {
      const { rows } = await fixture.database.pool.query<{ count: string }>('SELECT count(*) FROM audit_line');
      expect(Number(rows[0]?.count)).toBe(before + 3);
    }, patient);
    const response = await fetch(
      `http://127.0.0.1:${fixture.engine.http.port}/api/v1/tenants/${tenantId}/audit?limit=3`,
      {
        headers: { authorization: `Bearer ${good.admin}` },
      },
    );
    const body: unknown = await response.json();
    expect(body).toMatchObject({
      rows: expect.arrayContaining([
        expect.objectContaining({
          action: '/WorkflowService/TriggerWorkflow',
          ids: [workflowRunId],
          tokenName: 'worker',
          address: '127.0.0.1',
          outcome: 'OK',
        }),
        expect.objectContaining({
          action: '/v1.AdminService/CancelTasks',
          ids: [workflowRunId],
          tokenName: 'worker',
          outcome: 'OK',
        }),
        expect.objectContaining({
          action: 'PATCH /api/v1/workflows/:workflow',
          tokenName: 'viewer',
          outcome: 'PERMISSION_DENIED',
        }),
      ]),
    });
    const found = await fetch(
      `http://127.0.0.1:${fixture.engine.http.port}/api/v1/tenants/${tenantId}/audit?id=${workflowRunId}`,
      { headers: { authorization: `Bearer ${good.admin}` } },
    );
    expect(await found.json()).toMatchObject({
      rows: [{ action: '/v1.AdminService/CancelTasks' }, { action: '/WorkflowService/TriggerWorkflow' }],
    });
  });
});
