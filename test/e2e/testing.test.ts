import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Hatchet, RateLimitDuration, type Duration } from '../../sdk/index.ts';
import { createTestEngine, type TestEngine } from '../../testing/index.ts';
import { packageRoot } from '../helpers/engine-process.ts';
import { isListening, processesIn } from '../helpers/left-behind.ts';
import { patient } from '../helpers/patient.ts';

const fixtures = join(packageRoot, 'test/fixtures/testing');
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

let engine: TestEngine;

beforeAll(async () => {
  engine = await createTestEngine({ now: new Date('2031-03-29T12:00:00Z'), logLevel: 'OFF' });
});

afterAll(async () => {
  await engine.stop();
});

describe('a test engine', () => {
  it('starts runs by events, and gives their results by name', async () => {
    const greet = engine.hatchet.task({
      name: 'greet',
      onEvents: ['user:created'],
      fn: ({ name }: { name: string }) => ({ text: `Hello, ${name}` }),
    });
    const chain = engine.hatchet.workflow<{ name: string }, { only: { length: number } }>({
      name: 'chain',
      onEvents: ['user:created'],
    });
    chain.task({ name: 'only', fn: ({ name }) => ({ length: name.length }) });
    const failing = engine.hatchet.task({
      name: 'failing',
      fn: () => {
        throw new Error('no luck');
      },
    });
    await engine.worker([greet, chain, failing]);
    await engine.push('user:created', { name: 'Ada' });
    await engine.push('user:created', { name: 'Bob' });
    const greetings = await engine.results(greet, { count: 2 });
    expect(greetings.map(({ status, input, output }) => [status, input, output?.text])).toEqual([
      ['COMPLETED', { name: 'Ada' }, 'Hello, Ada'],
      ['COMPLETED', { name: 'Bob' }, 'Hello, Bob'],
    ]);
    expect((await engine.results(chain)).map(({ output }) => output?.only.length)).toEqual([3, 3]);
    expect((await engine.results('greet')).map(({ output }) => output)).toEqual([
      { text: 'Hello, Ada' },
      { text: 'Hello, Bob' },
    ]);
    expect(await engine.waitForRun(await failing.runNoWait({}))).toMatchObject({
      workflow: 'failing',
      status: 'FAILED',
      error: 'no luck',
      output: undefined,
    });
    await expect(engine.results(greet, { count: 3, timeout: '50ms' })).rejects.toMatchObject({
      code: 'NOT_IN_TIME',
      message: expect.stringContaining('3 ended runs of greet, and there are 2 COMPLETED'),
    });
    await expect(engine.waitForRun(crypto.randomUUID())).rejects.toMatchObject({ code: 'UNKNOWN_RUN' });
  });

  it('goes from one due time to the next: every tick of a cron, over a clock change', async () => {
    const daily = engine.hatchet.task({ name: 'daily', fn: () => ({}) });
    await engine.worker([daily]);
    await engine.hatchet.crons.create(daily, { name: 'berlin', expression: '0 9 * * *', timezone: 'Europe/Berlin' });
    const from = engine.clock.now().getTime();
    await engine.clock.advance('30d');
    expect(engine.clock.now().getTime()).toBeGreaterThanOrEqual(from + 30 * dayMs);
    const ticks = (await engine.results(daily)).map(({ startedAt }) => startedAt?.toISOString().slice(0, 16));
    expect(ticks).toHaveLength(30);
    expect(ticks.slice(0, 2)).toEqual(['2031-03-30T07:00', '2031-03-31T07:00']);
  });

  it('scheduled runs, which schedule runs', async () => {
    const { hatchet, clock } = engine;
    const times: string[] = [];
    const start = clock.now().getTime();
    const relay = hatchet.task({
      name: 'relay',
      fn: async ({ left }: { left: number }) => {
        times.push(((clock.now().getTime() - start) / hourMs).toFixed(1));
        if (left > 0)
          await hatchet.scheduled.create('relay', {
            triggerAt: new Date(start + (4 - left) * hourMs),
            input: { left: left - 1 },
          });
        return {};
      },
    });
    await engine.worker([relay]);
    await hatchet.scheduled.create(relay, { triggerAt: new Date(start + hourMs), input: { left: 2 } });
    await hatchet.scheduled.create(relay, { triggerAt: new Date(start + 5 * hourMs), input: { left: 0 } });
    await clock.advance('4h');
    expect(times).toEqual(['1.0', '2.0', '3.0']);
    await clock.advanceTo(new Date(start + 5 * hourMs));
    expect(times).toEqual(['1.0', '2.0', '3.0', '5.0']);
  });

  it('runs scheduled with a delay: by the clock that was moved, whichever client asks', async () => {
    const { clock } = engine;
    await clock.advance('1d');
    const own = Hatchet.init({ logLevel: 'OFF' });
    try {
      const later = own.task({ name: 'later', fn: () => ({}) });
      await engine.worker([later]);
      const scheduled = await own.scheduled.create(later, { delay: '90m' });
      expect(Date.parse(scheduled.triggerAt)).toBeGreaterThan(clock.now().getTime() + hourMs);
      await clock.advance('80m');
      expect((await own.scheduled.get(scheduled)).workflowRunId).toBeUndefined();
      await own.scheduled.update(scheduled, { delay: { hours: 2 } });
      await clock.advance('110m');
      expect((await own.scheduled.get(scheduled)).workflowRunId).toBeUndefined();
      await clock.advance('10m');
      expect((await own.scheduled.get(scheduled)).workflowRunId).toBeDefined();
      for (const time of [{}, { delay: '1h', triggerAt: new Date() }])
        await expect(own.scheduled.create(later, JSON.parse(JSON.stringify(time)))).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
        });
    } finally {
      own.close();
    }
  });

  it('back-offs, time-outs and the windows of rate limits', async () => {
    const { hatchet, clock } = engine;
    const flaky = hatchet.task({
      name: 'flaky',
      retries: 3,
      backoff: { factor: 60, maxSeconds: 7200 },
      fn: (_input: object, ctx) => {
        if (ctx.retryCount() < 3) throw new Error('not yet');
        return { attempt: ctx.retryCount() };
      },
    });
    const stuck = hatchet.task({
      name: 'stuck',
      executionTimeout: '2h',
      fn: (_input: object, ctx) =>
        new Promise<object>((resolve) => ctx.abortController.signal.addEventListener('abort', () => resolve({}))),
    });
    const limited = hatchet.task({
      name: 'limited',
      scheduleTimeout: '72h',
      rateLimits: [{ staticKey: 'mail', units: 1 }],
      fn: () => ({ at: clock.now().getTime() }),
    });
    const orphan = hatchet.task({ name: 'orphan', scheduleTimeout: '3h', fn: () => ({}) });
    await hatchet.ratelimits.upsert({ key: 'mail', limit: 1, duration: RateLimitDuration.DAY });
    await engine.worker([flaky, stuck, limited]);
    const idle = await hatchet.worker('idle', { handleKill: false, workflows: [orphan] }); // registered, never started
    expect(idle.workerId).toBeUndefined();

    const start = clock.now().getTime();
    const [flakyRun, stuckRun, orphanRun] = [
      await flaky.runNoWait({}),
      await stuck.runNoWait({}),
      await orphan.runNoWait({}),
    ];
    const mails = await limited.runNoWait([{}, {}, {}]);
    await clock.advance('90m', { patience: '50ms' });
    expect((await hatchet.runs.getDetails(stuckRun)).status).toBe('RUNNING');
    await clock.advance('2d', { patience: '50ms' });
    expect(await engine.waitForRun(flakyRun)).toMatchObject({ status: 'COMPLETED', output: { attempt: 3 } });
    const after = (run: { finishedAt: Date | undefined }): number =>
      Math.round(((run.finishedAt?.getTime() ?? 0) - start) / 1000);
    // 60 s, 3600 s, and 7200 s for the cap.
    expect(after(await engine.waitForRun(flakyRun))).toBe(60 + 3600 + 7200);
    expect(await engine.waitForRun(stuckRun)).toMatchObject({
      status: 'FAILED',
      error: 'Task exceeded timeout of 2h',
    });
    expect(after(await engine.waitForRun(stuckRun))).toBe(2 * 3600);
    expect(await engine.waitForRun(orphanRun)).toMatchObject({ status: 'CANCELLED' });
    expect(after(await engine.waitForRun(orphanRun))).toBe(3 * 3600);
    const sent = (await Promise.all(mails.map((run) => engine.waitForRun(run)))).map((run) =>
      Math.round(((run.output?.at ?? 0) - start) / dayMs),
    );
    expect(sent).toEqual([0, 1, 2]);
  });

  it('durable sleeps: each ends in its time, and no execution timeout is reached while a task waits', async () => {
    const { hatchet, clock } = engine;
    const start = clock.now().getTime();
    const daysIn = (date: Date): number => Math.floor((date.getTime() - start) / dayMs);
    const trial = hatchet.durableTask({
      name: 'trial',
      fn: async (_input: object, ctx) => {
        const days = [daysIn(await ctx.now())];
        await ctx.sleepFor('72h');
        days.push(daysIn(await ctx.now()));
        await Promise.all([ctx.sleepFor('48h'), ctx.sleepFor('24h')]);
        days.push(daysIn(await ctx.now()));
        await ctx.sleepUntil(new Date(start + 30 * dayMs));
        return { days: [...days, daysIn(await ctx.now())] };
      },
    });
    const approval = hatchet.durableTask({
      name: 'approval',
      fn: async (_input: object, ctx) => {
        await ctx.waitForEvent('approved');
        return { day: daysIn(await ctx.now()) };
      },
    });
    await engine.worker([trial, approval]);
    const [trialRun, approvalRun] = [await trial.runNoWait({}), await approval.runNoWait({})];
    await clock.advance('20d');
    await engine.push('approved');
    expect(await engine.waitForRun(approvalRun)).toMatchObject({ status: 'COMPLETED', output: { day: 20 } });
    await clock.advance('10d');
    expect(await engine.waitForRun(trialRun)).toMatchObject({ status: 'COMPLETED', output: { days: [0, 3, 5, 30] } });
  });

  it('waits that look back: as far as the clock went, wherever it was moved meanwhile', async () => {
    const { hatchet, clock } = engine;
    const looking = hatchet.durableTask({
      name: 'looking',
      fn: async ({ lookback }: { lookback: Duration }, ctx) => ({
        n: (await ctx.waitForEvent<{ n: number }>('noted', { scope: 'one', lookback, timeout: '1ms' }))?.n ?? null,
      }),
    });
    await engine.worker([looking]);
    const seen = async (lookback: Duration): Promise<number | null> => (await looking.run({ lookback })).n;
    await hatchet.events.push('noted', { n: 1 }, { scope: 'one' });
    expect(await seen('5m')).toBe(1);
    await clock.advance('1h');
    expect(await seen('5m')).toBeNull();
    expect(await seen('61m')).toBe(1);
    await hatchet.events.push('noted', { n: 2 }, { scope: 'one' });
    await clock.advance('2h');
    expect([await seen('1h'), await seen('121m'), await seen('182m')]).toEqual([null, 2, 1]);
  });

  it('workers of clients of a module: time passes for them as for its own, and they end with the engine', async () => {
    const other = await createTestEngine({ logLevel: 'OFF' });
    const hatchet = Hatchet.init({ logLevel: 'OFF' });
    const trial = hatchet.durableTask({
      name: 'trial',
      fn: async (_input: object, ctx) => {
        const start = (await ctx.now()).getTime();
        await ctx.sleepFor('72h');
        await ctx.sleepUntil(new Date(start + 30 * dayMs));
        return { days: Math.floor(((await ctx.now()).getTime() - start) / dayMs) };
      },
    });
    const worker = await hatchet.worker('own', { workflows: [trial], handleKill: false });
    const ended = worker.start();
    try {
      await worker.waitUntilReady();
      const run = await trial.runNoWait({});
      await vi.waitFor(async () => expect((await other.hatchet.runs.getDetails(run)).status).toBe('RUNNING'), patient);
      await other.clock.advance('30d');
      expect(await other.waitForRun(run)).toMatchObject({ status: 'COMPLETED', output: { days: 30 } });
    } finally {
      await other.stop();
    }
    await ended;
    hatchet.close();
  });

  it('refuses times that make no sense', async () => {
    await expect(engine.clock.advance(-5)).rejects.toMatchObject({ code: 'INVALID_DURATION' });
    await expect(engine.clock.advanceTo(new Date(0))).rejects.toMatchObject({ code: 'INVALID_TIME' });
    await expect(engine.clock.advanceTo(new Date('2299-01-01'))).rejects.toMatchObject({ code: 'INVALID_TIME' });
    await expect(createTestEngine({ now: new Date(Number.NaN) })).rejects.toMatchObject({ code: 'INVALID_TIME' });
  });

  it('its Postgres lies in memory where there is room, else in the temporary folder', async () => {
    const client = new Client({ connectionString: engine.databaseUrl });
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    await client.end();
    const { bavail, bsize } = statfsSync('/dev/shm');
    const home = process.env['TMPDIR'] === undefined && bavail * bsize > 1024 ** 3 ? '/dev/shm' : tmpdir();
    expect(dirname(dirname(rows[0]?.data_directory ?? ''))).toBe(home);
  });

  it('engines beside each other share a Postgres, and nothing else', async () => {
    const outer = process.env['HATCHET_CLIENT_TOKEN'];
    expect(outer).toBe(engine.token);
    const other = await createTestEngine({ logLevel: 'OFF' });
    try {
      expect(new URL(other.databaseUrl).port).toBe(new URL(engine.databaseUrl).port);
      expect(new URL(other.databaseUrl).pathname).not.toBe(new URL(engine.databaseUrl).pathname);
      expect(Hatchet.init({ logLevel: 'OFF' }).config.hostPort).toBe(other.hostPort);
      await expect(other.results('greet')).rejects.toMatchObject({ code: 'UNKNOWN_WORKFLOW' });
      expect(other.clock.now().getTime()).toBeLessThan(engine.clock.now().getTime());
    } finally {
      await other.stop();
      await other.stop();
    }
    expect(process.env['HATCHET_CLIENT_TOKEN']).toBe(outer);
    await expect(other.clock.advance('1s')).rejects.toMatchObject({ code: 'STOPPED' });
  });
});

/** What the processes of a folder have left. */
function leftIn(folder: string): string[] {
  return [...readdirSync(folder), ...processesIn(folder)];
}

describe('processes of their own', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hatchet-testing-'));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('files under node:test, as ESM and as CommonJS, which leave nothing', () => {
    const files = ['node-esm.test.mjs', 'node-cjs.test.cjs'].map((name) => join(fixtures, name));
    const { status, stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', ...files], {
      cwd: folder,
      env: { ...process.env, TMPDIR: folder, NODE_TEST_CONTEXT: undefined },
      encoding: 'utf8',
    });
    expect(stdout).toContain('# pass 2');
    expect(status).toBe(0);
    expect(leftIn(folder)).toEqual([]);
  });

  it('a killed test leaves nothing either; nor a killed keeper, once another has started', async () => {
    const start = async (): Promise<{ port: number; end: () => Promise<void> }> => {
      const child = spawn(process.execPath, [join(fixtures, 'waits.mjs')], {
        cwd: folder,
        env: { ...process.env, TMPDIR: folder },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const line = await new Promise<string>((resolve) =>
        createInterface({ input: child.stdout }).once('line', resolve),
      );
      const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      return {
        port: Number(line),
        end: async () => {
          child.kill('SIGKILL');
          await exited;
        },
      };
    };
    const keepers = (): number[] =>
      processesIn(folder)
        .filter((line) => line.includes('keeper-main.js'))
        .map((line) => Number.parseInt(line, 10));

    const first = await start();
    const [keeper] = keepers();
    expect(keepers()).toHaveLength(1);
    process.kill(keeper ?? 0, 'SIGKILL');
    await first.end();
    expect(leftIn(folder).length).toBeGreaterThan(0);

    const second = await start();
    await second.end();
    await expect.poll(() => leftIn(folder)).toEqual([]);
    expect([first, second].filter(({ port }) => isListening(port))).toEqual([]);
  });
});
