import { beforeEach, describe, expect, it } from 'vitest';
import { LiveFlag, LiveState } from '../../../engine/model/task/live-state.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import type { WorkerDeath } from '../../../engine/plan/state/tenant-work.ts';
import { rankAfterRestart } from '../../../engine/plan/queue/task-order.ts';
import {
  ask,
  event,
  evict,
  memo,
  push,
  register,
  seconds,
  setUp,
  sleep,
  spawn,
  speakAs,
  stateOf,
  wait,
  workerId,
  world,
} from '../../helpers/durable-desk.ts';
import { tenantId } from '../../helpers/planner-world.ts';
import { rowOf } from '../../helpers/row-of.ts';

const death: WorkerDeath = { how: 'SIGKILL', isCertain: true, mostDeaths: 3 };

beforeEach(setUp);

/** The worker under the task dies, and another takes the task. */
function die(taskId: string): void {
  const row = rowOf(world.state.tasks, taskId);
  world.run({ kind: 'workerLost', tenantId, workerId: world.state.workerOf(row)?.id ?? workerId, forget: true, death });
  speakAs(register());
}

function deathsOf(taskId: string): { counted: number; flag: boolean } {
  const { deaths, flags }: { deaths: number; flags: number } = JSON.parse(world.stored.live.get(taskId) ?? '');
  return { counted: deaths, flag: (flags & LiveFlag.Progressed) !== 0 };
}

/** Two have died; then comes what is to be told of, and then the third death. */
function survivesThird(taskId: string, progress: () => void): boolean {
  die(taskId);
  die(taskId);
  progress();
  die(taskId);
  expect(world.broken()).toBeUndefined();
  return stateOf(taskId) !== undefined;
}

describe('the deaths of workers under a durable task', () => {
  it('end it at the third where its log has not grown, however much of it was replayed', () => {
    const taskId = world.trigger('long');
    ask(taskId, memo('a'));
    ask(taskId, wait(sleep(60)));
    const replay = (): void => {
      ask(taskId, memo('a'));
      ask(taskId, wait(sleep(60)));
    };
    expect(survivesThird(taskId, replay)).toBe(false);
    const result = world.stored.results.get(`${taskId}/1`);
    expect(result?.status).toBe(RunStatus.Failed);
    expect(JSON.parse(result?.error ?? '')).toEqual({
      message: 'its worker died (SIGKILL); 3 workers have died under this task since its log last grew',
    });
  });

  it('are counted anew once it has asked for something new, and what is stored says so', () => {
    const taskId = world.trigger('long');
    die(taskId);
    die(taskId);
    expect(deathsOf(taskId)).toEqual({ counted: 2, flag: false });
    ask(taskId, memo('a'));
    expect(deathsOf(taskId)).toEqual({ counted: 2, flag: true });
    die(taskId);
    expect(deathsOf(taskId)).toEqual({ counted: 1, flag: false });
    die(taskId);
    expect(stateOf(taskId)).toBe(LiveState.Running);
    die(taskId);
    expect(stateOf(taskId)).toBeUndefined();
  });

  it('are counted anew after each thing that its log can gain', () => {
    const gains: Record<string, (taskId: string) => void> = {
      memo: (taskId) => void ask(taskId, memo('new')),
      child: (taskId) => void ask(taskId, spawn(taskId, { index: 9 })),
      'sleep over': () => seconds(60),
      'event come': () => push('go'),
      'half of a wait': () => push('half'),
      "a child's end": () => world.run({ kind: 'completed', tenantId, taskId: kid, attempt: 0, output: '{}' }),
      branch: (taskId) =>
        void world.run({
          kind: 'durableBranch',
          tenantId,
          taskId,
          branch: 0,
          node: 1,
        }),
    };
    let kid = '';
    for (const [what, gain] of Object.entries(gains)) {
      setUp();
      world.register({ actions: ['kid:one'], slots: 1 });
      const taskId = world.trigger('long');
      const waits = [
        wait(sleep(60)),
        wait(event('go')),
        wait(event('half'), event('never', { group: 1, dataKey: 'never' })),
        spawn(taskId, { index: 0 }),
      ];
      for (const each of waits) ask(taskId, each);
      kid = [...world.stored.runs.values()].find((run) => run.parentTaskId === taskId)?.id ?? '';
      expect(
        survivesThird(taskId, () => {
          for (const each of waits) ask(taskId, each);
          gain(taskId);
        }),
        what,
      ).toBe(true);
    }
  });

  it("are counted anew after a child's end that comes while it is on no worker, and keep it ahead in its queue over a restart", () => {
    world.register({ actions: ['kid:one'], slots: 1 });
    const taskId = world.trigger('long');
    ask(taskId, spawn(taskId, { index: 0 }));
    const kid = [...world.stored.runs.values()].find((run) => run.parentTaskId === taskId)?.id ?? '';
    die(taskId);
    const row = rowOf(world.state.tasks, taskId);
    world.run({ kind: 'workerLost', tenantId, workerId: world.state.workerOf(row)?.id ?? '', forget: true, death });
    expect(stateOf(taskId)).toBe(LiveState.Ready);
    const rank = rankAfterRestart(world.state.tasks, row);
    world.run({ kind: 'completed', tenantId, taskId: kid, attempt: 0, output: '{}' });
    expect(deathsOf(taskId)).toEqual({ counted: 2, flag: true });
    expect(rankAfterRestart(world.state.tasks, row)).toBe(rank);
    speakAs(register());
    die(taskId);
    expect(deathsOf(taskId)).toEqual({ counted: 1, flag: false });
  });

  it('count as before over an eviction, which adds nothing to the log', () => {
    const taskId = world.trigger('long');
    ask(taskId, wait(sleep(60)));
    expect(
      survivesThird(taskId, () => {
        ask(taskId, wait(sleep(60)));
        evict(taskId);
        world.run({ kind: 'durableRestore', tenantId, taskId });
      }),
    ).toBe(false);
  });

  it('write nothing for a task that has seen none', () => {
    const taskId = world.trigger('long');
    let writes = 0;
    const { write } = world;
    world.write = (changes) => {
      writes += changes.liveUpdates.length;
      write?.(changes);
    };
    ask(taskId, memo('a'));
    ask(taskId, wait(sleep(60)));
    expect(writes).toBe(0);
  });
});
