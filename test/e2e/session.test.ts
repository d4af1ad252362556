import { credentials, Metadata, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { StepActionEventType, type BatchActionEvent } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import type { PutStreamEventRequest } from '../../proto/gen/hatchet/contract/events.ts';
import type { NewLogLine } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { SessionServiceClient, type ConnectResponse } from '../../proto/gen/hatchet/session/v1/session.ts';
import { Hatchet, type ClientOptions } from '../../sdk/index.ts';
import { emptyRequest } from '../../link/link-command.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import { HoldingProxy } from '../helpers/holding-proxy.ts';
import { patient } from '../helpers/patient.ts';
import { quiet } from '../helpers/quiet-logger.ts';
import { randomFrom } from '../helpers/random.ts';
import { KeyRing } from '../../engine/auth/key-ring.ts';
import { Tokens } from '../../engine/auth/tokens.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import { tenantOf } from '../helpers/tenant.ts';

/** `LINK_CUTS=1000` for a long run. */
const mostCuts = Number(process.env['LINK_CUTS'] ?? 40);

const fixture = engineFixture('session');
let proxy: HoldingProxy;

beforeAll(async () => {
  proxy = await HoldingProxy.start(fixture.engine.grpc.port);
});

afterAll(() => proxy.stop());

/** A client whose calls go by the proxy. */
function client(options: ClientOptions = {}): Hatchet {
  const made = Hatchet.init({
    token: fixture.token,
    hostPort: `127.0.0.1:${proxy.port}`,
    tlsConfig: { strategy: 'none' },
    logger: () => quiet,
    ...options,
  });
  onTestFinished(() => made.close());
  return made;
}

describe('a link that is cut', () => {
  it('again and again, on either way, loses no run and no result, and runs nothing twice', async () => {
    const hatchet = client();
    const ran = new Map<number, number>();
    const task = hatchet.task({
      name: 'cut',
      fn: ({ n }: { n: number }) => {
        ran.set(n, (ran.get(n) ?? 0) + 1);
        return { n };
      },
    });
    const worker = await hatchet.worker('cut', { workflows: [task], slots: 50, handleKill: false });
    const running = worker.start();
    await worker.waitUntilReady(patient.timeout);
    const load = { next: 0, ...cutting(7) };
    const results: { n: number }[] = [];
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        while (load.next < 1_500 || load.cuts() < mostCuts) {
          const n = load.next++;
          results.push(await task.run({ n }));
        }
      }),
    );
    await load.stop();
    expect(results).toHaveLength(load.next);
    expect([...ran.values()].filter((times) => times !== 1)).toEqual([]);
    const { rows } = await fixture.database.client.query(
      `SELECT count(*)::integer AS runs, (SELECT count(*)::integer FROM result) AS results FROM run`,
    );
    expect(rows).toEqual([{ runs: load.next, results: load.next }]);
    await worker.stop();
    await running;
  });

  it('is not noticed by durable tasks: each runs once to its end, and no memo is computed twice', async () => {
    const hatchet = client();
    const computed = new Map<string, number>();
    const begun: number[] = [];
    const task = hatchet.durableTask({
      name: 'cut-durable',
      executionTimeout: '10m',
      evictionPolicy: { allowCapacityEviction: false },
      fn: async ({ n }: { n: number }, ctx) => {
        begun.push(n);
        for (let step = 0; step < 4; step++)
          await ctx.memo([step], () => {
            computed.set(`${n} ${step}`, (computed.get(`${n} ${step}`) ?? 0) + 1);
            return step;
          });
        await ctx.sleepFor(20);
        return { n };
      },
    });
    const worker = await hatchet.worker('cut-durable', { workflows: [task], durableSlots: 40, handleKill: false });
    const running = worker.start();
    await worker.waitUntilReady(patient.timeout);
    const load = { next: 0, ...cutting(11) };
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        while (load.next < 300 || load.cuts() < mostCuts) {
          const n = load.next++;
          expect(await task.run({ n })).toEqual({ n });
        }
      }),
    );
    await load.stop();
    expect(computed.size).toBe(load.next * 4);
    expect([...computed].filter(([, times]) => times !== 1)).toEqual([]);
    expect(begun.sort((a, b) => a - b)).toEqual([...Array(load.next).keys()]);
    await worker.stop();
    await running;
  });

  it('doubles no line and no chunk of what tasks say, keeps both in their order, and ends batches', async () => {
    const hatchet = client();
    const says = ['0', '1', '2', '3', '4', '5'];
    const talk = hatchet.task({
      name: 'talk',
      fn: async (_: object, ctx) => {
        const sent: Promise<void>[] = [];
        for (const word of says) {
          void ctx.log(word);
          sent.push(ctx.putStream(word));
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        await Promise.all(sent);
        return {};
      },
    });
    const gathered: string[] = [];
    const batch = hatchet.batchTask({
      name: 'gathered',
      batch: { maxSize: 5, maxInterval: '20ms' },
      fn: (inputs: Record<string, { n: number }>) => {
        gathered.push(...Object.keys(inputs));
        return Object.fromEntries(Object.entries(inputs).map(([id, { n }]) => [id, { double: n * 2 }]));
      },
    });
    const worker = await hatchet.worker('talk', { workflows: [talk, batch], slots: 50, handleKill: false });
    const running = worker.start();
    await worker.waitUntilReady(patient.timeout);
    const load = { next: 0, ...cutting(11) };
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        while (load.next < 200 || load.cuts() < mostCuts) {
          const n = load.next++;
          const [, { double }] = await Promise.all([talk.run({}), batch.run({ n })]);
          expect(double).toBe(n * 2);
        }
      }),
    );
    await load.stop();
    // Lines that were held up by a cut for longer than their result waits for them come after it.
    await worker.stop();
    await running;
    expect(new Set(gathered).size).toBe(load.next);
    const { client: sql } = fixture.database;
    const lines = await sql.query(`SELECT array_agg(message ORDER BY id) AS said FROM log_line GROUP BY task_id`);
    expect(lines.rows.filter(({ said }) => said.join() !== says.join())).toEqual([]);
    expect(lines.rows).toHaveLength(load.next);
    const chunks = await sql.query(
      `SELECT array_agg(convert_from(chunk, 'utf8') ORDER BY id) AS said FROM stream_chunk GROUP BY task_id`,
    );
    expect(chunks.rows.filter(({ said }) => said.join() !== says.join())).toEqual([]);
    expect(chunks.rows).toHaveLength(load.next);
  });
});

/** Cuts what goes by the proxy, over and over, until it is stopped. */
function cutting(seed: number): { cuts: () => number; stop: () => Promise<void> } {
  const random = randomFrom(seed);
  const state = { cuts: 0, isOver: false };
  const done = (async () => {
    while (!state.isOver) {
      await new Promise((resolve) => setTimeout(resolve, random() * 60));
      if (random() < 0.5) proxy.hold(); // what the engine says from here on is lost
      await new Promise((resolve) => setTimeout(resolve, random() * 20));
      proxy.drop();
      state.cuts++;
    }
  })();
  return {
    cuts: () => state.cuts,
    stop: async () => {
      state.isOver = true;
      await done;
    },
  };
}

describe('what is refused', () => {
  it('is refused with the error that a call of its own would give, beside others that are started', async () => {
    const { hatchet } = fixture;
    const task = hatchet.task({ name: 'good', idempotency: undefined, fn: (input: { n: number }) => input });
    await fixture.serve('good', { workflows: [task] });
    const [unknown, first, large, second] = await Promise.allSettled([
      hatchet.runNoWait('nobody-has-it', {}),
      task.runNoWait({ n: 1 }),
      task.runNoWait({ n: 2 }, { additionalMetadata: { long: 'x'.repeat(5 * 1024 * 1024) } }),
      task.run({ n: 3 }),
    ]);
    expect(unknown).toMatchObject({ status: 'rejected', reason: { code: 'UNKNOWN_WORKFLOW' } });
    expect(large).toMatchObject({ status: 'rejected', reason: { code: 'PAYLOAD_TOO_LARGE' } });
    expect([first.status, second]).toEqual(['fulfilled', { status: 'fulfilled', value: { n: 3 } }]);
  });
});

describe('a program that speaks the protocol wrongly', () => {
  function connect(token = fixture.token): {
    responses: ConnectResponse[];
    ended: Promise<unknown>;
    write: (frame: object) => void;
  } {
    const sessions = new SessionServiceClient(`127.0.0.1:${fixture.engine.grpc.port}`, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set('authorization', `bearer ${token}`);
    const call = sessions.connect(metadata);
    const responses: ConnectResponse[] = [];
    call.on('data', (response: ConnectResponse) => responses.push(response));
    const ended = new Promise((resolve) => call.on('error', resolve).on('end', resolve));
    onTestFinished(() => sessions.close());
    return { responses, ended, write: (frame) => call.write({ ...emptyRequest(), ...frame }) };
  }

  it('is told what is wrong, and nothing else happens', async () => {
    const noHello = connect();
    noHello.write({ number: 1n });
    expect(await noHello.ended).toMatchObject({ code: status.INVALID_ARGUMENT });
    const noUuid = connect();
    noUuid.write({ hello: { sessionId: 'mine', engineId: '' } });
    expect(await noUuid.ended).toMatchObject({ code: status.INVALID_ARGUMENT });
    const large = connect();
    large.write({ hello: { sessionId: newId(), engineId: '' } });
    large.write({ number: 1n, started: Array.from({ length: 1_001 }, () => ({ taskId: newId(), attempt: 0 })) });
    expect(await large.ended).toMatchObject({ code: status.INVALID_ARGUMENT });
    const wrong = connect();
    wrong.write({ hello: { sessionId: newId(), engineId: '' } });
    wrong.write({
      number: 1n,
      attach: ['nobody'],
      started: [{ taskId: 'no-uuid', attempt: 0 }],
      completed: [{ taskId: newId(), attempt: -1, output: '{}' }],
      triggers: [
        {
          runId: 'no-uuid',
          request: { name: 'good', input: '{}', desiredWorkerLabels: {} },
          await: false,
          again: false,
        },
        { runId: newId(), request: undefined, await: false, again: false },
      ],
      batches: [batchReport('no-uuid'), batchReport(newId())],
      chunks: [chunk('no-uuid', 'lost'), chunk(newId(), 'lost')],
      lines: [line('no-uuid', 'lost'), line(newId(), ''), line(newId(), 'of nobody')],
    });
    await expect.poll(() => wrong.responses.flatMap(({ done }) => done), patient).toEqual([1n]);
    const refusals = wrong.responses.flatMap((response) => response.refusals);
    expect(refusals.map(({ kind, index, errorCode }) => `${kind} ${index} ${errorCode}`).sort()).toEqual([
      '1 0 INVALID_ARGUMENT',
      '2 0 INVALID_ARGUMENT',
      '4 0 INVALID_ARGUMENT',
      '4 1 INVALID_ARGUMENT',
      '5 0 INVALID_ARGUMENT',
      '6 0 UNKNOWN_RUN',
      '6 1 UNKNOWN_RUN',
      '7 0 INVALID_ARGUMENT',
      '7 1 INVALID_ARGUMENT',
    ]);
    expect(wrong.responses.flatMap(({ detached }) => detached)).toMatchObject([
      { workerId: 'nobody', status: status.NOT_FOUND },
    ]);
  });

  it('a line, a chunk or a report that its role may not send, or that is too much, is refused as at its own call', async () => {
    const { hatchet, database } = fixture;
    const { tenantId } = hatchet;
    const tokens = new Tokens(database.pool, await KeyRing.open(database.pool, { dataDir: fixture.dataDir }));
    const addresses = { serverUrl: 'http://127.0.0.1:1', grpcBroadcastAddress: '127.0.0.1:1' };
    const mayOnlyTrigger = await tokens.create({
      tenantId: tenantOf(tenantId),
      name: 'trigger',
      role: 'trigger',
      addresses,
    });
    const task = hatchet.task({ name: 'patient', fn: (input: { n: number }) => input });
    await fixture.serve('patient', { workflows: [task] });
    const run = await task.runNoWait({ n: 1 });
    await run.output;
    const taskId = await run.getWorkflowRunId();
    const refusalsOf = async (token: string, frame: object): Promise<string[]> => {
      const session = connect(token);
      session.write({ hello: { sessionId: newId(), engineId: '' } });
      session.write({ number: 1n, ...frame });
      await expect.poll(() => session.responses.flatMap(({ done }) => done), patient).toEqual([1n]);
      const refusals = session.responses.flatMap((response) => response.refusals);
      return refusals.map(({ kind, index, errorCode }) => `${kind} ${index} ${errorCode}`).sort();
    };
    const all = {
      batches: [batchReport(newId())],
      chunks: [chunk(taskId, 'chunk')],
      lines: [line(taskId, 'one'), line(taskId, 'two')],
    };
    expect(await refusalsOf(mayOnlyTrigger, all)).toEqual([
      '5 0 PERMISSION_DENIED',
      '6 0 PERMISSION_DENIED',
      '7 0 PERMISSION_DENIED',
      '7 1 PERMISSION_DENIED',
    ]);
    expect(await refusalsOf(fixture.token, all)).toEqual([]);
    await database.pool.query('UPDATE tenant SET limits = $2 WHERE id = $1', [
      tenantId,
      JSON.stringify({ logCharsPerDay: 1, streamBytesPerDay: 1 }),
    ]);
    // What a person sets is in force within seconds.
    await expect
      .poll(() => refusalsOf(fixture.token, all), patient)
      .toEqual(['6 0 LIMIT_REACHED', '7 0 LIMIT_REACHED', '7 1 LIMIT_REACHED']);
  });
});

function line(taskRunExternalId: string, message: string): NewLogLine {
  return { taskRunExternalId, createdAt: new Date(), taskRetryCount: 0, level: 'INFO', message, metadata: '' };
}

function chunk(taskRunExternalId: string, text: string): PutStreamEventRequest {
  return { taskRunExternalId, createdAt: undefined, message: Buffer.from(text), metadata: '', eventIndex: 0n };
}

function batchReport(taskRunExternalId: string): BatchActionEvent {
  return {
    workerId: '',
    jobId: '',
    actionId: '',
    batchId: newId(),
    eventTimestamp: undefined,
    eventType: StepActionEventType.STEP_EVENT_TYPE_STARTED,
    items: [{ taskRunExternalId, eventPayload: '' }],
  };
}
