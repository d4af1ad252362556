import { join } from 'node:path';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/index.js';
import { describe, expect, it, vi } from 'vitest';
import { startEngine } from '../../engine/index.ts';
import { TriggerWorkflowRequest } from '../../proto/gen/hatchet/contract/v1/trigger.ts';
import { PutStreamEventRequest } from '../../proto/gen/hatchet/contract/events.ts';
import { codeOf } from '../helpers/contract-fixture.ts';
import { engineProcessFixture } from '../helpers/engine-fixture.ts';
import { isListening } from '../helpers/left-behind.ts';
import { MonitorHttp } from '../helpers/monitor-http.ts';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { descendants, running } from '../helpers/process-tree.ts';

const fixture = engineProcessFixture('edges', { edges: 2 }, { postgres: 'shared' });

/** Of the edges alone: Postgres is elsewhere. */
function edges(): number[] {
  return running(descendants(fixture.engine.child.pid ?? 0));
}

describe('an engine with two edges', () => {
  it('serves the published SDK, which sees no difference', async () => {
    fixture.spawn('published-sdk/worker.mjs');
    Object.assign(process.env, fixture.env);
    const published = HatchetClient.init();
    await vi.waitFor(() => published.run('lower', { message: 'A' }, {}), { timeout: 30_000 });
    const dag = await published.run('Published-Dag', { n: 1 }, { additionalMetadata: { from: 'here' } });
    expect(dag).toMatchObject({ flaky: { attempt: 2, n: 20 } });
    await expect(published.run('failing', {}, {})).rejects.toThrow();
  });

  it('refuses by the link as a call is refused, and notes it', async () => {
    const { clients } = fixture;
    const request = {
      workflowName: 'nobody',
      input: Buffer.from('{}'),
      additionalMetadata: Buffer.from('{}'),
      desiredWorkerLabels: {},
    };
    const refused: unknown = await clients
      .call(clients.admin, clients.admin.triggerWorkflowRun, request)
      .catch((e) => e);
    expect(refused).toMatchObject({ code: status.NOT_FOUND, details: expect.stringContaining('"nobody"') });
    await expect
      .poll(async () => {
        const { rows } = await fixture.database.pool.query<{ action: string; outcome: string; address: string }>(
          `SELECT DISTINCT action, outcome, address FROM audit_line WHERE action ~ 'Trigger' ORDER BY action, outcome`,
        );
        return rows.filter(({ outcome }) => outcome !== 'OK');
      })
      .toContainEqual({
        action: '/v1.AdminService/TriggerWorkflowRun',
        outcome: 'UNKNOWN_WORKFLOW',
        address: '127.0.0.1',
      });
    // Each once, by the name that its caller knows: what goes by the link is not noted a second time.
    const { rows } = await fixture.database.pool.query<{ action: string }>(
      `SELECT DISTINCT action FROM audit_line WHERE action ~ 'Trigger' AND outcome = 'OK'`,
    );
    expect(rows).toEqual([{ action: '/WorkflowService/TriggerWorkflow' }]);
  });

  it('goes on after a chunk whose time is none', async () => {
    const { clients } = fixture;
    const { host, port } = fixture.engine.ready.grpc;
    const client = new Client(`${host}:${port}`, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set('authorization', `bearer ${fixture.token}`);
    const asIs = (bytes: Buffer): Buffer => bytes;
    const taskRunExternalId = '01890000-0000-7000-8000-000000000001';
    const known = { taskRunExternalId, message: Buffer.from('a'), metadata: '', createdAt: undefined, eventIndex: 0n };
    // Field 2, a time of 2^62 seconds.
    const time = Buffer.from([0x12, 0x0a, 0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]);
    const chunk = Buffer.concat([PutStreamEventRequest.encode(known).finish(), time]);
    expect(PutStreamEventRequest.decode(chunk).createdAt?.getTime()).toBeNaN();
    try {
      const putting = new Promise((resolve) =>
        client.makeUnaryRequest('/EventsService/PutStreamEvent', asIs, asIs, chunk, metadata, (error) =>
          resolve(error?.code ?? status.OK),
        ),
      );
      const request = {
        workflowName: 'nobody',
        input: Buffer.from('{}'),
        additionalMetadata: Buffer.from('{}'),
        desiredWorkerLabels: {},
      };
      const others = Array.from({ length: 4 }, () =>
        codeOf(clients.call(clients.admin, clients.admin.triggerWorkflowRun, request)),
      );
      expect(await putting).toBe(status.NOT_FOUND);
      expect((await Promise.all(others)).map(({ code }) => code)).toEqual(others.map(() => status.NOT_FOUND));
    } finally {
      client.close();
    }
  }, 20_000);

  it('keeps no room for requests that are no messages', async () => {
    const { host, port } = fixture.engine.ready.grpc;
    const longest = 64 * 1024 * 1024;
    const client = new Client(`${host}:${port}`, credentials.createInsecure(), {
      'grpc.max_send_message_length': longest,
    });
    const metadata = new Metadata();
    metadata.set('authorization', `bearer ${fixture.token}`);
    const asIs = (bytes: Buffer): Buffer => bytes;
    const codeOf = (bytes: Buffer): Promise<status | undefined> =>
      new Promise((resolve) =>
        client.makeUnaryRequest('/WorkflowService/TriggerWorkflow', asIs, asIs, bytes, metadata, (error) =>
          resolve(error?.code),
        ),
      );
    try {
      // More than what may be on its way to owners in all.
      const garbage = Buffer.alloc(60 * 1024 * 1024, 0xff);
      for (let n = 0; n < 5; n++) expect(await codeOf(garbage)).toBe(status.INVALID_ARGUMENT);
      const nobody = TriggerWorkflowRequest.encode({ name: 'nobody', input: '{}', desiredWorkerLabels: {} }).finish();
      expect(await codeOf(Buffer.from(nobody))).toBe(status.NOT_FOUND);
    } finally {
      client.close();
    }
  }, 30_000);

  it('passes on what is asked over HTTP, tells of a stream as it goes on, and ends it with its client', async () => {
    const { http } = fixture.engine.ready;
    const monitor = new MonitorHttp({ http, token: fixture.token });
    expect(await monitor.call('GetWorkflow', { name: 'lower' })).toMatchObject({
      status: 200,
      body: { workflow: { name: 'lower' } },
    });
    const seen: unknown[] = [];
    let runId: string | undefined;
    for await (const { data } of monitor.stream('StreamRunEvents')) {
      runId ??= await (await fixture.hatchet.runNoWait('lower', { message: 'B' })).runId;
      const { events }: { events: { runId: string; type: string }[] } = Object(data);
      seen.push(...events.flatMap((event) => (event.runId === runId ? [event.type] : [])));
      if (seen.includes('RUN_FINISHED')) break;
    }
    const { pool } = fixture.database;
    const { tenantId, token } = await makeNeighbour(pool, fixture.dataDir);
    const neighbour = new MonitorHttp({ http, token });
    const open = [0, 1, 2, 3].map(() => neighbour.stream('StreamOverview'));
    for (const stream of open) expect((await stream.next()).done).toBe(false);
    await pool.query('UPDATE tenant SET limits = $2 WHERE id = $1', [tenantId, JSON.stringify({ openStreams: 4 })]);
    const attempt = async (): Promise<number> => {
      const response = await neighbour.post('/api/v1/monitor/StreamOverview');
      await response.body?.cancel();
      return response.status;
    };
    await expect.poll(attempt).toBe(429);
    for (const stream of open) await stream.return(undefined);
    await expect.poll(attempt).toBe(200);
  });

  it('signs a browser in by a link, whichever edge has made it', async () => {
    const { http } = fixture.engine.ready;
    const ours = new MonitorHttp({ http, token: fixture.token });
    const stranger = new MonitorHttp({ http, token: undefined });
    const page = await fetch(`http://${http.host}:${http.port}/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    await page.body?.cancel();
    for (let n = 0; n < 4; n++) {
      const { code }: { code: string } = Object(await (await ours.post('/api/v1/page/links')).json());
      const [first, second] = [
        await stranger.post('/api/v1/page/sign-in', { code }),
        await stranger.post('/api/v1/page/sign-in', { code }),
      ];
      expect([first.status, second.status]).toEqual([200, 401]);
      expect(await first.json()).toMatchObject({ token: fixture.token });
      await second.body?.cancel();
    }
  });

  it('loses nothing where an edge is killed, and has another one soon', async () => {
    const { hatchet } = fixture;
    const task = hatchet.task({ name: 'double', fn: ({ n }: { n: number }) => ({ doubled: 2 * n }) });
    await fixture.serve('double', { workflows: [task], slots: 50 });
    const before = edges();
    expect(before.length).toBe(2);
    const results: Promise<{ doubled: number }>[] = [];
    for (let n = 0; n < 300; n++) {
      results.push(task.run({ n }));
      if (n % 100 === 50) process.kill(edges()[0] ?? 0, 'SIGKILL');
      if (n % 10 === 0) await expect.poll(() => edges().length).toBeGreaterThan(0);
    }
    expect((await Promise.all(results)).map(({ doubled }) => doubled)).toEqual(results.map((_, n) => 2 * n));
    await expect.poll(() => edges().length, { timeout: 10_000 }).toBe(2);
    expect(edges().filter((pid) => before.includes(pid)).length).toBeLessThan(2);
  });

  it('stops in order, with its edges, while clients are there', async () => {
    const { ready } = fixture.engine;
    const pids = edges();
    expect(await fixture.hatchet.runs.list()).toBeDefined();
    await fixture.engine.end('SIGTERM');
    expect(fixture.engine.child.exitCode).toBe(0);
    expect(running(pids)).toEqual([]);
    expect([ready.grpc.port, ready.http.port].map(isListening)).toEqual([false, false]);
    await fixture.startAgain();
    expect(edges().length).toBe(2);
  }, 30_000);

  it('leaves no process and no port, however it ends', async () => {
    const { ready } = fixture.engine;
    const pids = edges();
    await fixture.engine.end('SIGKILL');
    await expect.poll(() => running(pids), { timeout: 20_000 }).toEqual([]);
    expect([ready.grpc.port, ready.http.port].map(isListening)).toEqual([false, false]);
  });
});

it('an edge without engines says what it lacks', async () => {
  const starting = startEngine({ edge: true, dataDir: join(fixture.folder, 'alone'), logLevel: 'silent' });
  await expect(starting).rejects.toMatchObject({ code: 'EDGE_ALONE' });
});
