import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClusterDouble } from '../../helpers/cluster-double/cluster-double.ts';
import { packageRoot } from '../../helpers/engine-process.ts';
import { engineProcessFixture } from '../../helpers/engine-fixture.ts';
import { makeLinkedProject } from '../../helpers/linked-project.ts';
import { printed } from '../../helpers/printed.ts';
import { CliSession, runCli, type CliResult } from '../../helpers/run-cli.ts';

const fixture = engineProcessFixture('cluster profile');
const { folder } = fixture;
const config = join(folder, 'config');
let double: ClusterDouble;

const cli = (
  args: readonly string[],
  extra: { env?: Record<string, string>; input?: string } = {},
): Promise<CliResult> =>
  runCli(args, {
    cwd: folder,
    env: { HATCHET_CONFIG_DIR: config, ...extra.env },
    ...(extra.input === undefined ? {} : { input: extra.input }),
  });

beforeAll(async () => {
  double = await ClusterDouble.start(fixture.engine.ready);
});

afterAll(() => double.stop());

describe('a cluster by profile', () => {
  it('is added from stdin, kept for the user alone, and never printed', async () => {
    const added = await cli(
      ['profile', 'add', 'cloud', '--token', '-', '--address', double.hostPort, '--api-url', double.apiUrl],
      { input: `${fixture.token}\n` },
    );
    expect(added).toMatchObject({ code: 0, stdout: `cloud  ${double.hostPort}\n` });
    expect(added.stderr).toContain('hatchet profile use cloud');
    expect(statSync(join(config, 'profiles.json')).mode & 0o777).toBe(0o600);
    expect(await cli(['profile', 'add', 'cloud', '--token', '-'], { input: fixture.token })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--replace'),
    });
    expect(await cli(['profile', 'add', 'local', '--token', '-'], { input: fixture.token })).toMatchObject({
      code: 2,
    });
    expect(await cli(['profile', 'add', 'other', '--token', '-'], { input: 'no token' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no access token'),
    });
    expect(await cli(['profile', 'add', 'other'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--token-file'),
    });
    for (const args of [['list', '-o', 'json'], ['show', 'cloud', '-o', 'json'], ['list'], ['show', 'cloud']])
      expect((await cli(['profile', ...args])).stdout).not.toContain(fixture.token.slice(-30));
    expect(printed(await cli(['profile', 'list', '-o', 'json'])).rows).toMatchObject([
      { name: 'cloud', chosen: false, address: double.hostPort, apiUrl: double.apiUrl, tls: 'none' },
    ]);
  });

  it('is used by its name, by the variable, and once it is chosen', async () => {
    expect((await cli(['workflows', 'list'])).code).toBe(3);
    expect((await cli(['workflows', 'list', '--profile', 'cloud'])).code).toBe(0);
    expect((await cli(['workflows', 'list'], { env: { HATCHET_PROFILE: 'cloud' } })).code).toBe(0);
    expect(await cli(['workflows', 'list', '--profile', 'nope'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There are local, cloud'),
    });
    expect(await cli(['workflows', 'list', '--profile', 'cloud', '--data-dir', 'x'])).toMatchObject({ code: 2 });
    expect((await cli(['profile', 'use', 'cloud'])).code).toBe(0);
    expect((await cli(['workflows', 'list'])).code).toBe(0);
    expect((await cli(['workflows', 'list', '--profile', 'local'])).code).toBe(3);
    expect((await cli(['profile', 'show'])).stdout).toMatch(/^cloud {2}chosen\n/);
    expect((await cli(['doctor'])).stdout).toMatch(
      /token of profile cloud\)\n· service {5}version \S+, no hatchet-ts engine: read over REST/,
    );
    expect((await cli(['profile', 'use', 'local'])).code).toBe(0);
    expect((await cli(['workflows', 'list'])).code).toBe(3);
  });

  it('is named where it was chosen and the project has an engine of its own', async () => {
    const project = join(folder, 'own');
    mkdirSync(project);
    const own = (...args: string[]): Promise<CliResult> =>
      runCli(args, { cwd: project, env: { HATCHET_CONFIG_DIR: config } });
    const started = await own(
      'engine',
      'start',
      '--detach',
      '--data-dir',
      '.hatchet',
      '--grpc-port',
      '0',
      '--http-port',
      '0',
    );
    expect(started.code).toBe(0);
    try {
      expect((await own('workflows', 'list')).stderr).toBe('');
      await own('profile', 'use', 'cloud');
      expect((await own('workflows', 'list')).stderr).toContain('This is the profile cloud, chosen in ');
      for (const args of [
        ['--profile', 'cloud'],
        ['--profile', 'local'],
        ['--data-dir', '.hatchet'],
      ])
        expect(await own('workflows', 'list', ...args)).toMatchObject({ code: 0, stderr: '' });
    } finally {
      await own('profile', 'use', 'local');
      await own('engine', 'stop', '--data-dir', '.hatchet');
    }
  });

  it('has a worker started on it, whatever the environment says of another engine', async () => {
    const project = await makeLinkedProject(folder, 'simple');
    writeFileSync(
      join(project, 'src', 'worker.ts'),
      `import { Hatchet } from 'hatchet-ts';\nconst hatchet = Hatchet.init();\nconst echo = hatchet.task({ name: 'echo', fn: (input: object) => input });\nawait (await hatchet.worker('w', { workflows: [echo] })).start();\n`,
    );
    const session = new CliSession(['worker', 'start', '--profile', 'cloud'], {
      cwd: project,
      env: { HATCHET_CONFIG_DIR: config, HATCHET_CLIENT_HOST_PORT: '127.0.0.1:1', HATCHET_CLIENT_NAMESPACE: 'other' },
    });
    await expect.poll(() => session.output, { timeout: 60_000 }).toContain('serving');
    expect(
      await cli(['trigger', 'workflow', 'echo', '--input', '{"a":1}', '--wait', '-o', 'json', '--profile', 'cloud'], {
        env: { HATCHET_CLIENT_NAMESPACE: 'other' },
      }),
    ).toMatchObject({ code: 0, stdout: '{"a":1}\n' });
    expect(printed(await cli(['workflows', 'get', 'echo', '-o', 'json', '--profile', 'cloud']))).toMatchObject({
      name: 'echo',
    });
    const workers = printed(await cli(['workers', 'list', '-o', 'json', '--profile', 'cloud'])).rows;
    expect(workers).toMatchObject([{ name: 'w', status: 'ACTIVE' }]);
    await session.end('SIGINT');
  });

  it('changes timers, limits, filters and webhooks of it', async () => {
    const cloud = (...args: string[]): Promise<CliResult> => cli([...args, '--profile', 'cloud']);
    const { cronId } = printed(await cloud('crons', 'create', 'echo', '0 3 * * *', '--name', 'nightly', '-o', 'json'));
    expect(printed(await cloud('crons', 'list', '-o', 'json')).rows).toMatchObject([
      { cronId, name: 'nightly', enabled: true },
    ]);
    expect((await cloud('crons', 'delete', cronId)).code).toBe(0);
    const { scheduleId } = printed(await cloud('schedules', 'create', 'echo', '--at', '1h', '-o', 'json'));
    expect((await cloud('schedules', 'delete', scheduleId)).code).toBe(0);
    expect((await cloud('rate-limits', 'put', 'mail', '--limit', '5', '--per', 'minute')).code).toBe(0);
    expect(printed(await cloud('rate-limits', 'list', '-o', 'json')).rows).toMatchObject([
      { key: 'mail', limit: 5, window: 'minute' },
    ]);
    const { filterId } = printed(
      await cloud('filters', 'create', 'echo', '--scope', 'eu', '--expression', 'input.a == 1', '-o', 'json'),
    );
    expect((await cloud('filters', 'delete', filterId)).code).toBe(0);
    expect(await cloud('filters', 'get', filterId)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(`/filters/${filterId}`),
    });
    expect(
      (
        await cloud(
          'webhooks',
          'create',
          'hook',
          '--source',
          'GENERIC',
          '--key',
          'input.k',
          '--auth',
          'basic',
          '--username',
          'u',
          '--secret',
          's',
        )
      ).code,
    ).toBe(0);
    expect((await cloud('webhooks', 'delete', 'hook')).code).toBe(0);
  });

  it('says in one sentence what only an engine of ours tells, and what to use instead', async () => {
    const { runId } = printed(await cli(['trigger', 'workflow', 'echo', '-o', 'json', '--profile', 'cloud']));
    for (const [args, instead] of [
      [['runs', 'why', runId], 'hatchet runs events <run>'],
      [['queues', 'list'], 'hatchet runs list --status QUEUED'],
      [['audit', 'list'], 'the page of the cluster'],
      [['page', '--no-open'], 'the page of the cluster itself'],
    ] as const) {
      const refused = await cli([...args, '--profile', 'cloud']);
      expect([args[0], refused.code, refused.stdout]).toEqual([args[0], 1, '']);
      expect(refused.stderr).toMatch(
        /^error: only a hatchet-ts engine .*, and this one is none \(NOT_SUPPORTED\)\n {2}Use .*\n$/,
      );
      expect(refused.stderr).toContain(instead);
    }
  });

  it('is not used by what works on this machine, which says so', async () => {
    const named = { HATCHET_PROFILE: 'cloud' };
    const other = join(folder, 'administered');
    const tokens = await cli(['token', 'list', '--data-dir', other], {
      env: { HATCHET_CLIENT_TOKEN: fixture.token },
    });
    expect(tokens.stderr).toContain(
      'HATCHET_CLIENT_TOKEN is set, and is not used: this command works on a database itself',
    );
    expect((await cli(['migrate', 'status', '--data-dir', other], { env: named })).stderr).toContain(
      'HATCHET_PROFILE is set to cloud, and is not used',
    );
    const dev = await cli(['dev', join(packageRoot, 'nothing.ts'), '--no-tui', '--data-dir', other], { env: named });
    expect(dev.stderr).toContain(
      'HATCHET_PROFILE is set to cloud, and is not used: this command runs an engine of its own',
    );
  });

  it('repeats no trigger whose answer was lost: nobody can tell whether it was taken', async () => {
    const before = printed(await cli(['runs', 'list', '--workflow', 'echo', '-o', 'json', '--profile', 'cloud'])).rows
      .length;
    double.state.swallowAnswers('/v1.AdminService/TriggerWorkflowRun', 1);
    const lost = await cli(['trigger', 'workflow', 'echo', '--profile', 'cloud']);
    expect(lost.code).toBe(3);
    expect(lost.stderr).toContain('Whether echo was triggered is not known');
    await expect
      .poll(
        async () =>
          printed(await cli(['runs', 'list', '--workflow', 'echo', '-o', 'json', '--profile', 'cloud'])).rows.length,
      )
      .toBe(before + 1);
  });
});
