import { beforeAll, describe, expect, it } from 'vitest';
import { ConcurrencyLimitStrategy, type Hatchet } from '../../../sdk/index.ts';
import { engineProcessFixture } from '../../helpers/engine-fixture.ts';
import { printed } from '../../helpers/printed.ts';
import { runCli, type CliResult } from '../../helpers/run-cli.ts';

const fixture = engineProcessFixture('queue commands');
let hatchet: Hatchet;
let calls = 0;

const hatchetCli = (...args: string[]): Promise<CliResult> =>
  runCli([...args, '--data-dir', fixture.dataDir], { cwd: '/' });

beforeAll(async () => {
  ({ hatchet } = fixture);
  const listener = hatchet.task({
    name: 'listener',
    onEvents: ['user:*'],
    fn: () => {
      calls++;
      return {};
    },
  });
  const lonely = hatchet.task({
    name: 'lonely',
    concurrency: { expression: '"all"', maxRuns: 1, limitStrategy: ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN },
    fn: async (_: object, ctx) =>
      new Promise<object>((resolve) => ctx.abortController.signal.addEventListener('abort', () => resolve({}))),
  });
  await fixture.serve('cli', { workflows: [listener, lonely] });
});

describe('commands of the queue', () => {
  it('trigger event pushes, and names the runs that it started', async () => {
    const pushed = printed(await hatchetCli('trigger', 'event', 'user:created', '--data', '{"id":7}', '-o', 'json'));
    expect(pushed).toMatchObject({ key: 'user:created', runs: [{ workflow: 'listener' }] });
    await expect.poll(() => calls).toBe(1);
    expect(printed(await hatchetCli('trigger', 'event', 'order:placed', '-o', 'json')).runs).toEqual([]);
    expect((await hatchetCli('trigger', 'event', 'user:x', '--data', '[1]')).code).toBe(2);
    expect((await hatchetCli('trigger', 'event', 'user:x', '--data', '{')).code).toBe(2);
  });

  it('runs replay runs it again; an unknown id is refused whole', async () => {
    const { rows } = printed(await hatchetCli('runs', 'list', '--workflow', 'listener', '-o', 'json'));
    const runId = rows[0]?.runId ?? '';
    await expect
      .poll(async () => printed(await hatchetCli('runs', 'get', runId, '-o', 'json')).status)
      .toBe('COMPLETED');
    expect(printed(await hatchetCli('runs', 'replay', runId, '-o', 'json'))).toEqual({
      replayedTasks: [runId],
      refused: [],
    });
    await expect.poll(() => calls).toBe(2);
    expect((await hatchetCli('runs', 'replay', runId, crypto.randomUUID())).code).toBe(4);
  });

  it('runs why names the key and the run that holds its place', async () => {
    const [holder, waiting] = [
      printed(await hatchetCli('trigger', 'workflow', 'lonely', '-o', 'json')).runId,
      printed(await hatchetCli('trigger', 'workflow', 'lonely', '-o', 'json')).runId,
    ];
    expect(printed(await hatchetCli('runs', 'why', waiting, '-o', 'json')).tasks).toMatchObject([
      { name: 'lonely', status: 'QUEUED', cause: { code: 'CONCURRENCY', ids: [holder] } },
    ]);
    expect((await hatchetCli('runs', 'why', waiting)).stdout).toContain(
      'CONCURRENCY: key "all" has 1 of 1 places taken',
    );
    await hatchetCli('runs', 'cancel', holder, waiting);
    expect((await hatchetCli('runs', 'why', waiting)).stdout).toContain('Nothing waits');
  });

  it('crons and schedules: create, list, change, delete', async () => {
    const cron = printed(
      await hatchetCli(
        'crons',
        'create',
        'listener',
        '0 3 * * *',
        '--name',
        'nightly',
        '--timezone',
        'Europe/Berlin',
        '-o',
        'json',
      ),
    );
    expect((await hatchetCli('crons', 'disable', cron.cronId)).code).toBe(0);
    expect(printed(await hatchetCli('crons', 'list', '-o', 'json')).rows).toEqual([
      { cronId: cron.cronId, name: 'nightly', workflow: 'listener', expression: '0 3 * * *', enabled: false },
    ]);
    expect((await hatchetCli('crons', 'delete', cron.cronId)).code).toBe(0);
    expect((await hatchetCli('crons', 'delete', cron.cronId)).code).toBe(4);
    expect((await hatchetCli('crons', 'create', 'listener', '61 * * * *', '--name', 'x')).code).toBe(2);
    expect((await hatchetCli('crons', 'create', 'nobody', '* * * * *', '--name', 'x')).code).toBe(4);

    const schedule = printed(await hatchetCli('schedules', 'create', 'listener', '--at', '1h', '-o', 'json'));
    expect(printed(await hatchetCli('schedules', 'list', '-o', 'json')).rows).toMatchObject([
      { scheduleId: schedule.scheduleId, workflow: 'listener', runId: null, status: null },
    ]);
    expect((await hatchetCli('schedules', 'delete', schedule.scheduleId)).code).toBe(0);
  });
});
