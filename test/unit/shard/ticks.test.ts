import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, expect, it } from 'vitest';
import { HatchetError } from '../../../engine/base/errors.ts';
import type { PutOffCommand } from '../../../engine/plan/commands/upkeep/put-off-refused-task.ts';
import type { TickCommand } from '../../../engine/plan/commands/upkeep/tick.ts';
import { Ticks } from '../../../engine/shard/ticks.ts';
import { PlannerWorld, stepOf, workflowOf } from '../../helpers/planner-world.ts';

type Asked = number | string | undefined;

const scheduleTimeoutUs = 300_000_000;

let ticks: Ticks | undefined;
afterEach(() => ticks?.stop());

/** The ticks of a world in which five tasks have waited for too long, and what they log. */
function fiveDue(carryOut: (command: TickCommand | PutOffCommand, world: PlannerWorld) => void) {
  const world = new PlannerWorld();
  world.put(workflowOf('single', [stepOf('one')]));
  const taskIds = Array.from({ length: 5 }, () => world.trigger('single'));
  world.nowUs += scheduleTimeoutUs;
  const lines: Record<string, unknown>[] = [];
  let asked: Asked[] = [];
  const made = new Ticks({
    clock: { nowUs: () => world.nowUs },
    log: pino({ level: 'error' }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    states: () => [world.state],
    submit: async (_shard, command) => {
      asked.push(command.kind === 'tick' ? command.most : command.taskId);
      carryOut(command, world);
    },
    timersDue: () => undefined,
  });
  ticks = made;
  /** @returns the size of each tick that was asked for, and the tasks that were put off */
  const fire = async (): Promise<Asked[]> => {
    asked = [];
    made.fire();
    await turn();
    return asked;
  };
  return { world, taskIds, lines, fire, nextUs: () => made.nextUs(world.state) };
}

function refuse(): never {
  throw new HatchetError('COMMAND_FAILED', 'no such row here');
}

it('a shard whose tick fails even without a deadline waits longer and longer, and no task is blamed', async () => {
  let broken = true;
  const { world, lines, fire, nextUs } = fiveDue((command) => (broken ? refuse() : world.run(command)));
  for (const [n, pauseMs] of [1_000, 2_000, 4_000].entries()) {
    expect(await fire()).toEqual([500, 3, 2, 1, 0]);
    expect(lines.at(-1)).toMatchObject({ code: 'COMMAND_FAILED', shard: world.state.id, fails: n + 1, pauseMs });
    expect(nextUs()).toBe(world.nowUs + pauseMs * 1000);
    world.nowUs += pauseMs * 1000 - 1;
    expect(await fire()).toEqual([]);
    world.nowUs++;
  }
  broken = false;
  expect(await fire()).toEqual([500]);
  expect([world.memory().size, lines.length]).toEqual([0, 3]);
});

it('what succeeds in smaller ticks is done, and the one that fails alone is put off', async () => {
  const { world, taskIds, lines, fire } = fiveDue((command) => {
    const { tasks, deadlines } = world.state;
    const first = [...tasks.rows()]
      .filter((row) => (tasks.dueUs[row] ?? Infinity) <= world.nowUs)
      .sort((a, b) => (tasks.seq[a] ?? 0) - (tasks.seq[b] ?? 0));
    expect(first[0]).toBe(deadlines.nextUs <= world.nowUs ? deadlines.first : undefined);
    if (command.kind === 'tick' && first.slice(0, command.most).some((row) => tasks.id(row) === taskIds[2])) refuse();
    world.run(command);
  });
  expect(await fire()).toEqual([500, 3, 2]);
  expect(world.memory().size).toBe(3);
  expect(await fire()).toEqual([500, 2, 1, 0, taskIds[2]]);
  expect(await fire()).toEqual([500]);
  expect([...world.memory().keys()]).toEqual([taskIds[2]]);
  expect(lines).toMatchObject([{ task: taskIds[2], fails: 1, pauseMs: 1_000 }]);
  world.nowUs += 1_000_000;
  expect(await fire()).toEqual([500, 0, taskIds[2]]);
  expect(lines.at(-1)).toMatchObject({ fails: 2, pauseMs: 2_000 });
});

it('a put-off that did not commit leaves all as it was', () => {
  const { world, taskIds } = fiveDue(refuse);
  const before = world.image();
  world.rollback([{ kind: 'putOff', taskId: taskIds[0] ?? '', untilUs: world.nowUs + 1_000_000 }]);
  expect(world.image()).toEqual(before);
  world.run({ kind: 'putOff', taskId: taskIds[0] ?? '', untilUs: world.nowUs + 1_000_000 });
  expect(world.image()).not.toEqual(before);
});
