import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Hatchet } from '../../../sdk/index.ts';
import { engineProcessFixture } from '../../helpers/engine-fixture.ts';
import { printed } from '../../helpers/printed.ts';
import { runCli, type CliResult } from '../../helpers/run-cli.ts';

const fixture = engineProcessFixture('many runs');
let hatchet: Hatchet;
let broken = true;
let ran: string[] = [];

const hatchetCli = (...args: string[]): Promise<CliResult> =>
  runCli([...args, '--data-dir', fixture.dataDir], { cwd: '/' });

/** How many runs there are of a workflow and a status. */
async function count(workflow: string, status: string): Promise<number> {
  return printed(
    await hatchetCli('runs', 'list', '--workflow', workflow, '--status', status, '--limit', '1000', '-o', 'json'),
  ).rows.length;
}

beforeAll(async () => {
  ({ hatchet } = fixture);
  const note = (name: string): Record<string, never> => {
    ran.push(name);
    return {};
  };
  const flow = hatchet.workflow({ name: 'flow' });
  const first = flow.task({ name: 'first', fn: () => note('first') });
  const second = flow.task({
    name: 'second',
    parents: [first],
    fn: () => {
      note('second');
      if (broken) throw new Error('broken');
      return {};
    },
  });
  flow.task({ name: 'third', parents: [second], fn: () => note('third') });
  const waits = hatchet.task({
    name: 'waits',
    desiredWorkerLabels: { place: { value: 'nowhere', required: true } },
    fn: () => note('waits'),
  });
  await fixture.serve('many runs', { workflows: [flow, waits] });
});

beforeEach(() => {
  ran = [];
});

describe('runs of a selection', () => {
  it('are counted, and none is cancelled before that is confirmed', async () => {
    await hatchetCli('trigger', 'workflow', 'waits', '--count', '30', '--metadata', 'batch=a');
    await hatchetCli('trigger', 'workflow', 'waits', '--count', '5', '--metadata', 'batch=b');
    const asked = await hatchetCli('runs', 'cancel', '--workflow', 'waits');
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('cancel 35 runs (35 of waits)') });
    expect(asked.stderr).toContain('--yes');
    expect(await count('waits', 'QUEUED')).toBe(35);
    const cancelled = printed(await hatchetCli('runs', 'cancel', '--metadata', 'batch=a', '--yes', '-o', 'json'));
    expect(cancelled.cancelled).toHaveLength(30);
    expect(await count('waits', 'QUEUED')).toBe(5);
    expect((await hatchetCli('runs', 'cancel', '--workflow', 'waits', '--since', '1h', '--yes')).stdout).toContain(
      'Cancelled 5 runs.',
    );
    expect((await hatchetCli('runs', 'cancel', '--workflow', 'waits', '--yes')).stdout).toContain('Cancelled 0 runs.');
  });

  it('are told one by one where they are named, with why nothing was done to the others', async () => {
    const { runIds } = printed(await hatchetCli('trigger', 'workflow', 'waits', '--count', '2', '-o', 'json'));
    const [first = '', second = ''] = runIds;
    expect((await hatchetCli('runs', 'cancel', first)).stdout).toBe(`${first}  cancelled\n`);
    expect((await hatchetCli('runs', 'cancel', first, second, first)).stdout).toBe(
      `${first}  not cancelled: CANCELLED before\n${second}  cancelled\n`,
    );
    expect(printed(await hatchetCli('runs', 'cancel', first, second, '-o', 'json'))).toEqual({
      cancelled: [],
      refused: expect.arrayContaining([
        { id: first, reason: 'CANCELLED before' },
        { id: second, reason: 'CANCELLED before' },
      ]),
    });
    expect((await hatchetCli('runs', 'replay', first)).stdout).toBe('1 task runs again.\n');
    expect((await hatchetCli('runs', 'replay', first, second)).stdout).toBe(
      '1 task runs again.\nRefused 1: 1 not ended.\n',
    );
    expect(printed(await hatchetCli('runs', 'replay', first, '-o', 'json'))).toEqual({
      replayedTasks: [],
      refused: [{ id: first, reason: 'not ended' }],
    });
    expect((await hatchetCli('runs', 'replay', first)).stdout).toBe('Nothing runs again.\nRefused 1: 1 not ended.\n');
    await hatchetCli('runs', 'cancel', first, second);
  });

  it('run again: only what failed with --failed-only, only one task with --task', async () => {
    const { runIds } = printed(await hatchetCli('trigger', 'workflow', 'flow', '--count', '3', '-o', 'json'));
    await expect.poll(() => count('flow', 'FAILED')).toBe(3);
    broken = false;
    ran = [];
    expect((await hatchetCli('runs', 'replay', '--workflow', 'flow', '--failed-only')).stderr).toContain(
      'replay 3 runs (3 of flow)',
    );
    await hatchetCli('runs', 'replay', '--workflow', 'flow', '--failed-only', '--yes');
    await expect.poll(() => count('flow', 'COMPLETED')).toBe(3);
    expect([...ran].sort()).toEqual([...Array(3).fill('second'), ...Array(3).fill('third')]);
    ran = [];
    await hatchetCli('runs', 'replay', runIds[0] ?? '', '--task', 'third');
    await expect.poll(() => ran).toEqual(['third']);
    // A task brings those that follow it.
    await expect.poll(() => count('flow', 'COMPLETED')).toBe(3);
    const again = printed(await hatchetCli('runs', 'replay', runIds[1] ?? '', '--task', 'second', '-o', 'json'));
    expect([again.replayedTasks.length, again.refused]).toEqual([2, []]);
    await expect.poll(() => count('flow', 'COMPLETED')).toBe(3);
    expect(await hatchetCli('runs', 'replay', runIds[0] ?? '', '--task', 'fourth')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('first, second, third'),
    });
    // The ids by which one task alone runs again are shown.
    const shown = await hatchetCli('runs', 'get', runIds[0] ?? '');
    const { tasks } = printed(await hatchetCli('runs', 'get', runIds[0] ?? '', '-o', 'json'));
    for (const task of tasks) expect(shown.stdout).toContain(task.taskId);
  });

  it('have to be named by ids or by what they are, not by both, and by what can be done to them', async () => {
    expect(await hatchetCli('runs', 'cancel')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no run was named'),
    });
    expect(await hatchetCli('runs', 'replay', 'x', '--workflow', 'flow')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('a selection beside them'),
    });
    expect(await hatchetCli('runs', 'cancel', '--status', 'FAILED', '--yes')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('FAILED cannot be cancelled'),
    });
    expect(await hatchetCli('runs', 'replay', '--status', 'RUNNING', '--yes')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('RUNNING cannot be replayed'),
    });
  });
});
