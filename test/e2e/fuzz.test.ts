import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DescMethod } from '@bufbuild/protobuf';
import { newId } from '../../engine/model/ids/uuid.ts';
import { Hatchet } from '../../sdk/index.ts';
import { engineProcessFixture } from '../helpers/engine-fixture.ts';
import { FuzzClient, type Answer } from '../helpers/fuzz/fuzz-engine.ts';
import { describedMethods, fuzzJsonRequest, fuzzRequest, pathOf } from '../helpers/fuzz/fuzz-grpc.ts';
import { fuzzRestRequest, routes } from '../helpers/fuzz/fuzz-rest.ts';
import { Draw, type Known } from '../helpers/fuzz/fuzz-values.ts';
import { storedRows } from '../helpers/fuzz/stored-rows.ts';
import { makeNeighbour } from '../helpers/neighbour.ts';
import { randomFrom } from '../helpers/random.ts';
import { quiet } from '../helpers/quiet-logger.ts';

/** More by `npm run test:fuzz`. */
const count = Number(process.env['FUZZ_REQUESTS'] ?? 5_000);
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** In flight at once. */
const width = 16;
/** Requests between two lines that say how far it is. */
const reportedEach = 20_000;
/** Refused requests that are sent once more, to see that they store nothing. */
const repeated = 2_000;
/** What one call may take with nothing beside it. */
const longestAloneMs = 1_000;

const fixture = engineProcessFixture('fuzz', { logLevel: 'error', allowSkip: true }, { postgres: 'shared' });
let client: FuzzClient;
let known: Known & { tenantId: string };
let log = '';

beforeAll(async () => {
  const { child, ready } = fixture.engine;
  child.stderr?.on('data', (data: Buffer) => {
    log += data.toString();
  });
  client = new FuzzClient({ grpcPort: ready.grpc.port, httpPort: ready.http.port, token: ready.token });
  known = await makeWorld(ready.token);
});

afterAll(() => client.close());

/** A tenant with something of each kind, and a worker that runs it; and ids of another tenant in the same shard. */
async function makeWorld(token: string): Promise<Known & { tenantId: string }> {
  const hatchet = Hatchet.init({ token, logger: () => quiet });
  const plain = hatchet.task({ name: 'plain', onEvents: ['key', 'user:1'], fn: () => ({ done: true }) });
  const keyed = hatchet.task({
    name: 'keyed',
    concurrency: { expression: 'input.a', maxRuns: 1 },
    fn: () => ({ done: true }),
  });
  const waits = hatchet.durableTask({
    name: 'waits',
    fn: async (_input: object, ctx) => await ctx.waitForEvent('never'),
  });
  const dag = hatchet.workflow({ name: 'dag' });
  const first = dag.task({ name: 'first', fn: () => ({ n: 1 }) });
  dag.task({ name: 'second', parents: [first], fn: () => ({ n: 2 }) });
  const worker = await hatchet.worker('fuzzed', { workflows: [plain, keyed, waits, dag], handleKill: false });
  void worker.start();
  await worker.waitUntilReady();
  const done = await plain.runNoWait({});
  await done.output;
  const [open, ran] = [await waits.runNoWait({}), await dag.runNoWait({})];
  await ran.output;
  const workflows = (await hatchet.workflows.list()).rows ?? [];
  const workflow = workflows[0]?.metadata.id ?? '';
  const ids = [
    await done.getWorkflowRunId(),
    await open.getWorkflowRunId(),
    await ran.getWorkflowRunId(),
    ...workflows.map((each) => each.metadata.id),
    ...((await hatchet.workers.list()).rows ?? []).map((each) => each.metadata.id),
    (await hatchet.crons.create('plain', { name: 'yearly', expression: '0 0 1 1 *' })).metadata.id,
    (await hatchet.scheduled.create('plain', { triggerAt: new Date(Date.now() + 86_400_000) })).metadata.id,
    (await hatchet.filters.create({ workflowId: workflow, scope: 's', expression: 'true' })).metadata.id,
    (await hatchet.events.push('heard by nobody', {})).eventId,
  ];
  const stranger = await makeNeighbour(fixture.database.pool, fixture.dataDir);
  const { tenantId } = hatchet;
  // The worker goes, so that what is left is the fuzzer's alone; its tasks stay.
  await worker.stop();
  hatchet.close();
  return {
    ids,
    foreignIds: [stranger.tenantId, newId(), newId()],
    workflows: ['plain', 'keyed', 'waits', 'dag', 'PLAIN', 'none'],
    tenantId,
  };
}

interface Sent {
  what: string;
  send: () => Promise<Answer>;
}

/** Request number n: the same for the same seed, whatever came before. */
function draw(methods: readonly DescMethod[], n: number): Sent {
  const from = new Draw(randomFrom(seed + n * 7919));
  const at = n % (methods.length + routes.length);
  const method = methods[at];
  if (method !== undefined) {
    const requests = Array.from({ length: method.methodKind === 'bidi_streaming' ? 1 + from.below(4) : 1 }, () =>
      fuzzRequest(from, method, known),
    );
    return { what: pathOf(method), send: () => client.grpc(method, requests) };
  }
  const route = from.of(routes);
  const request = fuzzRestRequest(from, route, known);
  // What methods of the monitoring service take over HTTP too: they refuse what no message is.
  const monitored = methods.find((each) => route === `POST /api/v1/monitor/${each.name}`);
  const body = monitored === undefined || from.chance(0.1) ? request.body : fuzzJsonRequest(from, monitored, known);
  return { what: route, send: () => client.rest({ ...request, body }) };
}

const isFault = (outcome: string): boolean =>
  /^(?:INTERNAL|UNKNOWN|DEADLINE_EXCEEDED|UNAVAILABLE|5\d\d|broken)/.test(outcome) && outcome !== '501';
const isRefused = (outcome: string): boolean => outcome !== 'OK' && outcome !== 'cut' && !outcome.startsWith('2');

/** The longest time in which the engine answered nobody: one cheap call after the other. */
async function watchPauses(stopped: AbortSignal): Promise<number> {
  let longest = 0;
  const method = { method: 'GET', path: '/api/live', headers: {}, body: undefined };
  while (!stopped.aborted) {
    longest = Math.max(longest, (await client.rest(method)).ms);
    await turn();
  }
  return longest;
}

it(
  `no request harms the engine: ${count} of every method and route`,
  { timeout: Math.max(300_000, count * 20) },
  async () => {
    const methods = await describedMethods();
    const outcomes = new Map<string, number>();
    const faults: string[] = [];
    const slow: number[] = [];
    const refused: number[] = [];
    const stop = new AbortController();
    const pauses = watchPauses(stop.signal);
    let next = 0;
    const lane = async (): Promise<void> => {
      for (let n = next++; n < count && fixture.engine.child.exitCode === null; n = next++) {
        if (n > 0 && n % reportedEach === 0)
          process.stderr.write(
            `fuzz, seed ${seed}: ${n} of ${count}, faults: ${JSON.stringify(faults.slice(0, 20))}\n`,
          );
        const { what, send } = draw(methods, n);
        const { outcome, ms } = await send();
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        if (isFault(outcome)) faults.push(`${n} ${what} ${outcome}`);
        else if (ms > longestAloneMs) slow.push(n);
        if (isRefused(outcome) && refused.length < repeated) refused.push(n);
      }
    };
    await Promise.all(Array.from({ length: width }, lane));
    stop.abort();
    const longestPauseMs = Math.round(await pauses);

    // What was slow among sixteen others is quick alone.
    const slowAlone: string[] = [];
    for (const n of slow) {
      const { what, send } = draw(methods, n);
      const { ms } = await send();
      if (ms > longestAloneMs) slowAlone.push(`${n} ${what} ${Math.round(ms)} ms`);
    }

    // What is refused each time stores nothing.
    let same = refused;
    let before = '';
    for (let pass = 0; pass < 5; pass++) {
      before = await storedRows(fixture.database.pool);
      const still: number[] = [];
      for (const n of same) if (isRefused((await draw(methods, n).send()).outcome)) still.push(n);
      if (still.length === same.length) break;
      same = still;
    }
    const after = await storedRows(fixture.database.pool);

    process.stderr.write(
      `fuzz, seed ${seed}: ${JSON.stringify({ requests: count, methods: methods.length, routes: routes.length, outcomes: Object.fromEntries([...outcomes].sort((a, b) => b[1] - a[1])), longestPauseMs, slowAmongOthers: slow.length, repeated: same.length })}\n`,
    );
    expect(fixture.engine.child.exitCode, log.slice(-5_000)).toBeNull();
    expect(faults.slice(0, 20)).toEqual([]);
    expect(log.match(/"code":"(?:STATEMENT_REFUSED|UNHANDLED_REJECTION|UNCAUGHT_EXCEPTION)".{0,500}/g) ?? []).toEqual(
      [],
    );
    expect(slowAlone).toEqual([]);
    expect(after).toBe(before);
  },
);
