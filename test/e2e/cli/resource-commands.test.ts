import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Hatchet } from '../../../sdk/index.ts';
import { engineProcessFixture } from '../../helpers/engine-fixture.ts';
import { printed, printedLines, type Printed } from '../../helpers/printed.ts';
import { runCli, type CliOptions, type CliResult } from '../../helpers/run-cli.ts';

const fixture = engineProcessFixture('resource commands');
let hatchet: Hatchet;

const cli = (args: readonly string[], options: Partial<CliOptions> = {}): Promise<CliResult> =>
  runCli([...args, '--data-dir', fixture.dataDir], { cwd: '/', ...options });

async function json(...args: string[]): Promise<Printed> {
  return printed(await cli([...args, '-o', 'json']));
}

/** Exit codes of commands that a user gets wrong; each says what and how to go on, and nothing on stdout. */
async function refused(
  ...cases: readonly (readonly [code: number, message: string, ...args: string[]])[]
): Promise<void> {
  await Promise.all(
    cases.map(async ([code, message, ...args]) => {
      const result = await cli(args);
      expect([args.join(' '), result.code, result.stdout]).toEqual([args.join(' '), code, '']);
      expect(result.stderr).toContain(message);
      expect(result.stderr).not.toMatch(/\n\s+at .*:\d+:\d+/);
    }),
  );
}

beforeAll(async () => {
  ({ hatchet } = fixture);
  const child = hatchet.task({ name: 'child', fn: (input: { n: number }) => ({ doubled: input.n * 2 }) });
  const parent = hatchet.task({
    name: 'parent',
    fn: async (input: { n: number }) => ({ sums: await child.run([{ n: input.n }, { n: input.n + 1 }]) }),
  });
  const welcome = hatchet.task({ name: 'welcome', onEvents: ['user:*', 'shop:*'], fn: () => ({}) });
  const flaky = hatchet.task({
    name: 'flaky',
    retries: 1,
    fn: (_: object, ctx) => {
      if (ctx.retryCount() === 0) throw new Error('not yet');
      return {};
    },
  });
  await fixture.serve('resources', { workflows: [parent, child, welcome, flaky] });
});

describe('runs', () => {
  it('children, the timeline, and an export with inputs and outputs', async () => {
    const ref = await hatchet.runNoWait('parent', { n: 20 });
    await ref.result();
    const runId = ref.workflowRunId;
    const { rows, next } = await json('runs', 'children', runId);
    expect(rows).toMatchObject([
      { workflow: 'child', status: 'COMPLETED' },
      { workflow: 'child', status: 'COMPLETED' },
    ]);
    expect(next).toBeNull();
    const first = await json('runs', 'children', runId, '--limit', '1');
    expect((await json('runs', 'children', runId, '--limit', '1', '--page', first.next)).rows).toEqual([rows[1]]);
    expect((await cli(['runs', 'children', rows[0]?.runId ?? ''])).stdout).toContain('It has no children.');

    const exported = printedLines(await cli(['runs', 'export', '--workflow', 'child,parent']));
    expect(exported.map((run) => run.workflow).toSorted()).toEqual(['child', 'child', 'parent']);
    expect(exported.find((run) => run.runId === runId)).toMatchObject({
      input: { n: 20 },
      output: { sums: [{ doubled: 40 }, { doubled: 42 }] },
      tasks: [{ name: 'parent', status: 'COMPLETED' }],
    });
    expect(
      printedLines(
        await cli(['runs', 'export', '--workflow', 'child,parent', '--limit', '2', '--page', exported[0]?.runId ?? '']),
      ),
    ).toEqual(exported.slice(1));
    await refused(
      [4, 'there is no run', 'runs', 'children', crypto.randomUUID()],
      [2, 'page token', 'runs', 'export', '--page', 'x'],
      [2, 'Choose among', 'runs', 'export', '--status', 'HAPPY'],
    );
  });

  it('events names attempts, workers and messages', async () => {
    const ref = await hatchet.runNoWait('flaky', {});
    await ref.result();
    const { rows } = await json('runs', 'events', ref.workflowRunId);
    expect(rows).toContainEqual(
      expect.objectContaining({
        type: 'FAILED',
        task: 'flaky',
        attempt: 0,
        message: expect.stringContaining('not yet'),
      }),
    );
    expect(rows).toContainEqual(expect.objectContaining({ type: 'STARTED', attempt: 1, workerName: 'resources' }));
    const page = await json('runs', 'events', ref.workflowRunId, '--limit', '3');
    expect((await json('runs', 'events', ref.workflowRunId, '--page', page.next)).rows).toEqual(
      rows.slice(page.rows.length),
    );
    expect(printedLines(await cli(['runs', 'events', ref.workflowRunId, '-o', 'ndjson']))).toEqual(rows);
    expect((await cli(['runs', 'events', ref.workflowRunId])).stdout).toMatch(/FAILED +flaky +1 +resources/);
    await refused([4, 'there is no run', 'runs', 'events', 'nonsense']);
  });

  it('name the worker that had a task, also after it is gone', async () => {
    const brief = hatchet.task({ name: 'brief', fn: () => ({}) });
    const gone = await hatchet.worker('gone by then', { handleKill: false, workflows: [brief] });
    const ended = gone.start();
    await gone.waitUntilReady();
    const ref = await brief.runNoWait({});
    await ref.output;
    await gone.stop();
    await ended;
    expect((await json('workers', 'list')).rows).toMatchObject([{ name: 'resources' }]);
    expect((await json('runs', 'get', ref.workflowRunId)).tasks).toMatchObject([
      { name: 'brief', workerName: 'gone by then' },
    ]);
    expect((await cli(['runs', 'get', ref.workflowRunId])).stdout).toMatch(/brief .*gone by then/);
    expect((await json('runs', 'events', ref.workflowRunId)).rows).toContainEqual(
      expect.objectContaining({ type: 'FINISHED', workerName: 'gone by then' }),
    );
  });
});

describe('events and filters', () => {
  it('list and get show what an event started; filters decide which', async () => {
    const filter = await json(
      'filters',
      'create',
      'welcome',
      '--scope',
      'eu',
      '--expression',
      'input.plan == "pro"',
      '--payload',
      '{"gift":"mug"}',
    );
    expect(filter).toMatchObject({ workflow: 'welcome', scope: 'eu', payload: { gift: 'mug' }, declared: false });
    const pushed = await json('trigger', 'event', 'user:created', '--data', '{"plan":"pro"}', '--scope', 'eu');
    const ignored = await json('trigger', 'event', 'user:created', '--data', '{"plan":"free"}', '--scope', 'eu');
    expect([pushed.runs.length, ignored.runs.length]).toEqual([1, 0]);
    expect(await json('events', 'get', pushed.eventId)).toMatchObject({
      key: 'user:created',
      scope: 'eu',
      payload: { plan: 'pro' },
      runs: [{ runId: pushed.runs[0]?.runId, workflow: 'welcome', filterId: filter.filterId }],
    });
    const listed = await json('events', 'list', '--key', 'user:created', '--scope', 'eu', '--limit', '1');
    expect(listed).toMatchObject({ rows: [{ eventId: ignored.eventId, runs: [] }], next: '1' });
    expect((await json('events', 'list', '--page', '1', '--since', '1h')).rows).toMatchObject([
      { eventId: pushed.eventId },
    ]);
    expect((await cli(['events', 'get', ignored.eventId])).stdout).toContain('It started no runs.');

    expect(await json('filters', 'update', filter.filterId, '--expression', 'true')).toMatchObject({
      expression: 'true',
      scope: 'eu',
    });
    expect((await json('filters', 'list', '--workflow', 'welcome')).rows).toEqual([
      await json('filters', 'get', filter.filterId),
    ]);
    expect((await cli(['filters', 'delete', filter.filterId])).code).toBe(0);
    await refused(
      [4, 'there is no event', 'events', 'get', crypto.randomUUID()],
      [4, 'there is no filter', 'filters', 'get', filter.filterId],
      [4, 'there is no workflow', 'filters', 'create', 'nobody', '--scope', 'eu', '--expression', 'true'],
      [2, 'expression', 'filters', 'create', 'welcome', '--scope', 'eu', '--expression', 'input.('],
      [2, 'nothing to change', 'filters', 'update', filter.filterId],
      [
        2,
        '--payload is not a JSON object',
        'filters',
        'create',
        'welcome',
        '--scope',
        'eu',
        '--expression',
        'true',
        '--payload',
        '[]',
      ],
    );
  });
});

describe('rate limits', () => {
  it('put, list, delete', async () => {
    expect(await json('rate-limits', 'put', 'mail api', '--limit', '5', '--per', 'HOUR')).toEqual({
      key: 'mail api',
      limit: 5,
      window: 'hour',
    });
    expect((await json('rate-limits', 'list')).rows).toEqual([
      { key: 'mail api', limit: 5, left: 5, window: 'hour', refilledAt: null },
    ]);
    expect((await cli(['rate-limits', 'delete', 'mail api'])).stdout).toBe('mail api  deleted\n');
    expect((await json('rate-limits', 'list')).rows).toEqual([]);
    await refused(
      [4, 'there is no rate limit "mail api"', 'rate-limits', 'delete', 'mail api'],
      [2, 'Choose among', 'rate-limits', 'put', 'k', '--limit', '1', '--per', 'fortnight'],
    );
  });
});

describe('webhooks', () => {
  it('create prints the address, at which signed requests become events; the secret shows nowhere', async () => {
    const secret = 'top secret';
    const made = await cli(
      [
        'webhooks',
        'create',
        'shop',
        '--source',
        'generic',
        '--key',
        "'shop:' + input.type",
        '--header',
        'X-Signature',
        '--secret-env',
        'SHOP_SECRET',
      ],
      { env: { SHOP_SECRET: secret } },
    );
    expect(made.code).toBe(0);
    const url = made.stdout.trim();
    const body = '{"type":"sold"}';
    const signature = createHmac('sha256', secret).update(body).digest('hex');
    expect((await fetch(url, { method: 'POST', body, headers: { 'x-signature': signature } })).status).toBe(200);
    expect((await json('events', 'list', '--key', 'shop:sold')).rows).toMatchObject([
      { webhook: 'shop', payload: { type: 'sold' } },
    ]);
    expect((await fetch(url, { method: 'POST', body, headers: { 'x-signature': 'no' } })).status).toBe(403);
    const shown = await cli(['webhooks', 'get', 'shop', '-o', 'json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      name: 'shop',
      source: 'GENERIC',
      auth: 'HMAC',
      url,
      lastError: expect.stringContaining('signature'),
    });
    expect(
      await json(
        'webhooks',
        'update',
        'shop',
        '--key',
        "'shop:all'",
        '--payload',
        '{"from":"shop"}',
        '--respond-event',
      ),
    ).toMatchObject({ key: "'shop:all'", payload: { from: 'shop' }, respondsWithEvent: true });
    for (const text of [made.stdout, made.stderr, shown.stdout]) expect(text).not.toContain(secret);
  });

  it('takes the secret of each kind from a file or stdin', async () => {
    const path = join(fixture.folder, 'secret');
    writeFileSync(path, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n');
    const create = (name: string, ...rest: string[]): Promise<CliResult> =>
      cli(['webhooks', 'create', name, '--key', "'k'", ...rest, '-o', 'json'], { input: 'from stdin\n' });
    const made = await Promise.all([
      create('svix', '--source', 'SVIX', '--secret-file', path),
      create('github', '--source', 'GITHUB', '--secret-file', '-'),
      create('stripe', '--source', 'STRIPE', '--secret-file', '-'),
      create('slack', '--source', 'SLACK', '--secret-file', '-'),
      create('linear', '--source', 'LINEAR', '--secret', 'given'),
      create('basic', '--source', 'GENERIC', '--auth', 'basic', '--username', 'me', '--secret-file', '-'),
      create('key', '--source', 'GENERIC', '--auth', 'api-key', '--header', 'X-Key', '--secret-file', '-'),
    ]);
    expect(made.map((result) => [result.code, result.stdout.includes('stdin')])).toEqual(made.map(() => [0, false]));
    const auth = `Basic ${Buffer.from('me:from stdin').toString('base64')}`;
    const { url } = await json('webhooks', 'get', 'basic');
    expect((await fetch(url, { method: 'POST', body: '{}', headers: { authorization: auth } })).status).toBe(200);
    expect((await json('webhooks', 'list', '--source', 'SVIX')).rows).toMatchObject([{ name: 'svix', auth: 'HMAC' }]);
    expect((await cli(['webhooks', 'delete', 'svix'])).code).toBe(0);
    await refused(
      [4, 'there is no webhook "svix"', 'webhooks', 'delete', 'svix'],
      [2, 'already', 'webhooks', 'create', 'github', '--source', 'GITHUB', '--key', "'k'", '--secret', 'x'],
      [
        2,
        'NO_SUCH is not set',
        'webhooks',
        'create',
        'x',
        '--source',
        'GITHUB',
        '--key',
        "'k'",
        '--secret-env',
        'NO_SUCH',
      ],
      [2, 'signing secret is missing', 'webhooks', 'create', 'x', '--source', 'GITHUB', '--key', "'k'"],
      [2, 'nothing to change', 'webhooks', 'update', 'github'],
    );
  });
});

describe('deleting a workflow', () => {
  it('asks, ends it, and its registration brings it back', async () => {
    const passing = hatchet.task({ name: 'passing', fn: () => ({}) });
    const worker = await hatchet.worker('passing', { workflows: [passing], handleKill: false });
    expect((await cli(['workflows', 'delete', 'passing'])).code).toBe(2);
    expect(await json('workflows', 'delete', 'passing', '--yes')).toMatchObject({ name: 'passing', deleted: true });
    await expect(passing.runNoWait({})).rejects.toMatchObject({ code: 'UNKNOWN_WORKFLOW' });
    expect((await cli(['workflows', 'delete', 'passing', '--yes'])).code).toBe(4);
    await worker.registerWorkflows([passing]);
    expect(await json('workflows', 'get', 'passing')).toMatchObject({ name: 'passing', paused: false });
  });
});

describe('pausing', () => {
  it('a paused workflow starts nothing until it is unpaused; so does a paused worker', async () => {
    expect(await json('workflows', 'pause', 'welcome')).toMatchObject({ name: 'welcome', paused: true });
    expect((await json('workflows', 'get', 'welcome')).paused).toBe(true);
    const waiting = await hatchet.runNoWait('welcome', {});
    expect((await json('runs', 'why', waiting.workflowRunId)).tasks).toMatchObject([
      { cause: { code: 'WORKFLOW_PAUSED' } },
    ]);
    await json('workflows', 'pause', 'welcome', '--scheduled', 'drop', '--queue-ttl', '2h');
    expect(await hatchet.workflows.get('welcome')).toMatchObject({
      pausedWorkflowCronRunQueueBehavior: 'QUEUE',
      pausedWorkflowScheduledRunQueueBehavior: 'DROP',
      pausedWorkflowQueueTTL: '2h',
    });
    expect((await cli(['workflows', 'unpause', 'welcome'])).stdout).toBe('welcome  not paused\n');
    await waiting.result();

    const workerId = (await json('workers', 'list')).rows[0]?.workerId ?? '';
    expect(await json('workers', 'pause', workerId)).toMatchObject({ workerId, status: 'PAUSED' });
    const held = await hatchet.runNoWait('welcome', {});
    expect(await json('workers', 'get', workerId)).toMatchObject({
      name: 'resources',
      status: 'PAUSED',
      slots: [{ type: 'default', used: 0 }],
      workflows: expect.arrayContaining(['welcome']),
    });
    expect((await json('runs', 'get', held.workflowRunId)).status).toBe('QUEUED');
    expect((await cli(['workers', 'unpause', workerId])).code).toBe(0);
    await held.result();
    await refused(
      [4, 'there is no workflow', 'workflows', 'pause', 'nobody'],
      [4, 'there is no worker', 'workers', 'get', crypto.randomUUID()],
    );
  });
});

it('without an engine every command says so, with exit code 3', async () => {
  const nowhere = join(fixture.folder, 'nowhere');
  const commands = [
    ['events', 'list'],
    ['filters', 'list'],
    ['webhooks', 'list'],
    ['rate-limits', 'list'],
    ['workers', 'get', 'x'],
    ['runs', 'export'],
  ];
  const codes = await Promise.all(
    commands.map(async (args) => (await runCli([...args, '--data-dir', nowhere], { cwd: '/' })).code),
  );
  expect(codes).toEqual(commands.map(() => 3));
});
