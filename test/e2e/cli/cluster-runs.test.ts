import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Hatchet, type Worker } from '../../../sdk/index.ts';
import { ClusterDouble } from '../../helpers/cluster-double/cluster-double.ts';
import { engineProcessFixture } from '../../helpers/engine-fixture.ts';
import { printed } from '../../helpers/printed.ts';
import { CliSession, runCli, type CliResult } from '../../helpers/run-cli.ts';
import { quiet } from '../../helpers/quiet-logger.ts';

const fixture = engineProcessFixture('cluster runs');
let double: ClusterDouble;
let hatchet: Hatchet;
let worker: Worker;
let running: Promise<void>;

const env = (): Record<string, string> => ({
  ...fixture.env,
  HATCHET_CLIENT_HOST_PORT: double.hostPort,
  HATCHET_CLIENT_API_URL: double.apiUrl,
});
const cli = (...args: string[]): Promise<CliResult> => runCli(args, { cwd: fixture.folder, env: env() });
const triggered = async (workflow: string, ...flags: string[]): Promise<string> =>
  printed(await cli('trigger', 'workflow', workflow, '-o', 'json', ...flags)).runId;

beforeAll(async () => {
  double = await ClusterDouble.start(fixture.engine.ready);
  hatchet = Hatchet.init({
    token: fixture.token,
    hostPort: double.hostPort,
    apiUrl: double.apiUrl,
    logger: () => quiet,
  });
  const greet = hatchet.task({
    name: 'greet',
    fn: async (input: { name: string }, ctx) => {
      await ctx.logger.info(`hello ${input.name}`);
      return { text: `Hello, ${input.name}` };
    },
  });
  const boom = hatchet.task({
    name: 'boom',
    fn: () => {
      throw new Error('no such luck');
    },
  });
  const stay = hatchet.task({
    name: 'stay',
    onEvents: ['order:*'],
    fn: async (_: object, ctx) =>
      new Promise<object>((resolve) => ctx.abortController.signal.addEventListener('abort', () => resolve({}))),
  });
  const dag = hatchet.workflow({ name: 'dag' });
  const first = dag.task({ name: 'first', fn: () => ({ n: 1 }) });
  dag.task({
    name: 'second',
    parents: [first],
    fn: async (_: object, ctx) => ({ n: (await ctx.parentOutput(first)).n + 1 }),
  });
  const nap = hatchet.durableTask({
    name: 'nap',
    fn: async (_: object, ctx) => ({ slept: await ctx.sleepFor('10ms') }),
  });
  worker = await hatchet.worker('cluster-cli', { handleKill: false, workflows: [greet, boom, stay, dag, nap] });
  running = worker.start();
  await worker.waitUntilReady();
});

afterAll(async () => {
  await worker.stop();
  await running;
  hatchet.close();
  await double.stop();
});

describe('runs on a cluster, which has no monitoring service', () => {
  it('trigger --wait follows a run to its output, and a failed one to its reason', async () => {
    const good = await cli('trigger', 'workflow', 'greet', '--input', '{"name":"Ada"}', '--wait', '-o', 'json');
    expect(good).toMatchObject({ code: 0, stdout: '{"text":"Hello, Ada"}\n' });
    expect(good.stderr).toMatch(/STARTED +greet[\s\S]*RUN_FINISHED +greet/);
    const bad = await cli('trigger', 'workflow', 'boom', '--wait');
    expect(bad.code).toBe(1);
    expect(bad.stderr).toContain('is FAILED: boom (attempt 1): no such luck\n');
    const unknown = await cli('trigger', 'workflow', 'nobody');
    expect(unknown.code).toBe(4);
    expect(unknown.stderr).toContain('there is no workflow "nobody"');
  });

  it('get shows what went in and what came out, as it was given', async () => {
    const runId = await triggered('greet', '--input', '{"name":"Bob"}', '--metadata', 'who=bob');
    await expect.poll(async () => printed(await cli('runs', 'get', runId, '-o', 'json')).status).toBe('COMPLETED');
    expect(printed(await cli('runs', 'get', runId, '-o', 'json'))).toMatchObject({
      runId,
      workflow: 'greet',
      input: { name: 'Bob' },
      output: { text: 'Hello, Bob' },
      metadata: { who: 'bob' },
      tasks: [{ name: 'greet', status: 'COMPLETED', workerName: 'cluster-cli', errorMessage: null }],
    });
    const failed = await triggered('boom');
    await expect.poll(async () => printed(await cli('runs', 'get', failed, '-o', 'json')).status).toBe('FAILED');
    expect(printed(await cli('runs', 'get', failed, '-o', 'json'))).toMatchObject({
      errorMessage: 'no such luck',
      output: null,
      tasks: [{ errorMessage: 'no such luck', output: null }],
    });
  });

  it('get shows a DAG by its tasks, by the id of one too, and the log of a durable task', async () => {
    const runId = await triggered('dag');
    await expect.poll(async () => printed(await cli('runs', 'get', runId, '-o', 'json')).status).toBe('COMPLETED');
    const run = printed(await cli('runs', 'get', runId, '-o', 'json'));
    expect(run).toMatchObject({
      workflow: 'dag',
      output: { first: { n: 1 }, second: { n: 2 } },
      tasks: [
        { name: 'first', parents: [] },
        { name: 'second', parents: ['first'] },
      ],
    });
    expect(printed(await cli('runs', 'get', run.tasks[1]?.taskId ?? '', '-o', 'json')).runId).toBe(runId);
    const nap = await triggered('nap');
    await expect.poll(async () => printed(await cli('runs', 'get', nap, '-o', 'json')).status).toBe('COMPLETED');
    expect((await cli('runs', 'get', nap)).stdout).toMatch(/log of nap\n└─ 1 ✓ sleep 10 ms/);
  });

  it('list selects by status, workflow, metadata, time and text, and pages without a gap or a repeat', async () => {
    for (const n of [1, 2, 3])
      await triggered('greet', '--input', '{"name":"x"}', '--metadata', `page=yes`, '--metadata', `n=${n}`);
    const ids = printed(await cli('runs', 'list', '--metadata', 'page=yes', '-o', 'json')).rows.map((row) => row.runId);
    expect(ids).toHaveLength(3);
    const paged: string[] = [];
    for (let page: string | null = ''; page !== null;) {
      const read = printed(
        await cli(
          'runs',
          'list',
          '--metadata',
          'page=yes',
          '--limit',
          '1',
          ...(page === '' ? [] : ['--page', page]),
          '-o',
          'json',
        ),
      );
      paged.push(...read.rows.map((row) => row.runId));
      page = read.next;
    }
    expect(paged).toEqual(ids);
    expect(printed(await cli('runs', 'list', 'page:yes', 'n:2', '-o', 'json')).rows).toHaveLength(1);
    expect(
      printed(await cli('runs', 'list', '--search', String(ids[1]).slice(4, 20), '-o', 'json')).rows,
    ).toMatchObject([{ runId: ids[1] }]);
    await expect
      .poll(async () =>
        printed(await cli('runs', 'list', '--status', 'FAILED', '-o', 'json')).rows.map((row) => row.workflow),
      )
      .toContain('boom');
    expect(printed(await cli('runs', 'list', '--workflow', 'nobody', '-o', 'json'))).toEqual({ rows: [], next: null });
    expect((await cli('runs', 'list', '--page', 'x')).code).toBe(2);
  });

  it('an event names the runs that it started; they are cancelled and run again by ids', async () => {
    const pushed = printed(await cli('trigger', 'event', 'order:placed', '--data', '{"id":7}', '-o', 'json'));
    expect(pushed).toMatchObject({ key: 'order:placed', runs: [{ workflow: 'stay' }] });
    const runId = pushed.runs[0]?.runId ?? '';
    expect(printed(await cli('events', 'get', pushed.eventId, '-o', 'json'))).toMatchObject({
      payload: { id: 7 },
      runs: [{ runId, workflow: 'stay' }],
    });
    await expect.poll(async () => printed(await cli('runs', 'get', runId, '-o', 'json')).status).toBe('RUNNING');
    expect(
      printed(await cli('runs', 'list', '--status', 'RUNNING', '--workflow', 'stay', '-o', 'json')).rows,
    ).toMatchObject([{ runId }]);
    expect(printed(await cli('runs', 'cancel', runId, '-o', 'json'))).toMatchObject({
      cancelled: [runId],
      refused: [],
    });
    await expect.poll(async () => printed(await cli('runs', 'get', runId, '-o', 'json')).status).toBe('CANCELLED');
    expect(printed(await cli('runs', 'replay', runId, '-o', 'json'))).toMatchObject({
      replayedTasks: [runId],
      refused: [],
    });
    await expect.poll(async () => printed(await cli('runs', 'get', runId, '-o', 'json')).status).toBe('RUNNING');
    await cli('runs', 'cancel', runId);
    const unknown = await cli('runs', 'cancel', runId, crypto.randomUUID());
    expect(unknown.code).toBe(4);
    expect(unknown.stderr).toContain('there is no run');
  });

  it('tail follows all runs, and one with its logs to its end', async () => {
    const session = new CliSession(['runs', 'tail', '-o', 'ndjson'], { cwd: fixture.folder, env: env() });
    // What happens before the first look is not told.
    await triggered('greet', '--input', '{"name":"Eve"}');
    await expect
      .poll(async () => {
        await triggered('greet', '--input', '{"name":"Eve"}');
        return session.stdout;
      })
      .toContain('RUN_CREATED');
    const runId = await triggered('greet', '--input', '{"name":"Eve"}');
    await expect
      .poll(() =>
        session.stdout
          .split('\n')
          .filter((line) => line.includes(runId))
          .map((line) => JSON.parse(line).type),
      )
      .toEqual(['RUN_CREATED', 'QUEUED', 'STARTED', 'FINISHED', 'RUN_FINISHED']);
    await session.end('SIGINT');
    const one = await cli('runs', 'tail', runId);
    expect(one.code).toBe(0);
    expect(one.stdout).toMatch(/INFO +greet +hello Eve/);
    expect(one.stdout).toMatch(/RUN_FINISHED +greet/);
    expect((await cli('runs', 'logs', runId, '--follow')).stdout).toMatch(/^\S+ +INFO +greet +hello Eve\n$/);
    expect(printed(await cli('runs', 'events', runId, '-o', 'json')).rows.map((row) => row.type)).toContain('STARTED');
    const exported = await cli('runs', 'export', '--workflow', 'greet', '--limit', '2');
    const [newest, second] = exported.stdout
      .trim()
      .split('\n')
      .map((line): { workflow: string; runId: string } => JSON.parse(line));
    expect([newest?.workflow, second?.workflow]).toEqual(['greet', 'greet']);
    // An export that was interrupted says after which run to go on.
    expect(
      (await cli('runs', 'export', '--workflow', 'greet', '--limit', '1', '--page', newest?.runId ?? '')).stdout,
    ).toContain(`"runId":"${second?.runId}"`);
  });
});
