import { credentials, Metadata, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SessionServiceClient, type ConnectResponse } from '../../proto/gen/hatchet/session/v1/session.ts';
import { Hatchet, type ClientOptions } from '../../sdk/index.ts';
import { emptyRequest } from '../../sdk/connection/link-command.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import { HoldingProxy } from '../helpers/holding-proxy.ts';
import { patient } from '../helpers/patient.ts';
import { quiet } from '../helpers/quiet-logger.ts';
import { randomFrom } from '../helpers/random.ts';
import { newId } from '../../engine/model/ids/uuid.ts';

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
    const random = randomFrom(7);
    const load = { next: 0, cuts: 0, isOver: false };
    const cutting = (async () => {
      while (!load.isOver) {
        await new Promise((resolve) => setTimeout(resolve, random() * 60));
        if (random() < 0.5) proxy.hold(); // what the engine says from here on is lost
        await new Promise((resolve) => setTimeout(resolve, random() * 20));
        proxy.drop();
        load.cuts++;
      }
    })();
    const results: { n: number }[] = [];
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        while (load.next < 1_500 || load.cuts < mostCuts) {
          const n = load.next++;
          results.push(await task.run({ n }));
        }
      }),
    );
    load.isOver = true;
    await cutting;
    expect(results).toHaveLength(load.next);
    expect([...ran.values()].filter((times) => times !== 1)).toEqual([]);
    const { rows } = await fixture.database.client.query(
      `SELECT count(*)::integer AS runs, (SELECT count(*)::integer FROM result) AS results FROM run`,
    );
    expect(rows).toEqual([{ runs: load.next, results: load.next }]);
    await worker.stop();
    await running;
  });
});

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
  function connect(): { responses: ConnectResponse[]; ended: Promise<unknown>; write: (frame: object) => void } {
    const sessions = new SessionServiceClient(`127.0.0.1:${fixture.engine.grpc.port}`, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set('authorization', `bearer ${fixture.token}`);
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
    });
    await expect.poll(() => wrong.responses.flatMap(({ done }) => done), patient).toEqual([1n]);
    const refusals = wrong.responses.flatMap((response) => response.refusals);
    expect(refusals.map(({ kind, index, errorCode }) => `${kind} ${index} ${errorCode}`).sort()).toEqual([
      '1 0 INVALID_ARGUMENT',
      '2 0 INVALID_ARGUMENT',
      '4 0 INVALID_ARGUMENT',
      '4 1 INVALID_ARGUMENT',
    ]);
    expect(wrong.responses.flatMap(({ detached }) => detached)).toMatchObject([
      { workerId: 'nobody', status: status.NOT_FOUND },
    ]);
  });
});
