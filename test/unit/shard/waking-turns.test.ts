import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { HatchetError } from '../../../engine/base/errors.ts';
import type { Host } from '../../../engine/base/host.ts';
import type { WakeByEventCommand } from '../../../engine/plan/commands/events/wake-by-event.ts';
import { newWaking } from '../../../engine/plan/state/event-wakings.ts';
import { WakingTurns } from '../../../engine/shard/waking-turns.ts';
import { PlannerWorld, tenantId } from '../../helpers/planner-world.ts';

/** Events of a shard, by key, each with so many who wait; how their pages end is the test's. */
class Scene {
  readonly state = new PlannerWorld().state;
  readonly waiting = new Map<string, number[]>();
  readonly lines: Record<string, unknown>[] = [];
  readonly asked: string[] = [];
  readonly turns: WakingTurns;
  nowMs = 0;
  isShared = false;
  #timers: { atMs: number; run: () => void }[] = [];

  constructor(carryOut: (command: WakeByEventCommand, next: readonly number[]) => void) {
    const host: Host = {
      monotonicMs: () => this.nowMs,
      wallMs: () => this.nowMs,
      setTimeout: (run, ms) => {
        this.#timers.push({ atMs: this.nowMs + ms, run });
        return { clear: () => undefined, unref: () => undefined };
      },
      setInterval: () => ({ clear: () => undefined, unref: () => undefined }),
      setImmediate: (run) => void setImmediate(run),
    };
    this.turns = new WakingTurns({
      log: pino({ level: 'warn' }, { write: (line: string) => void this.lines.push(JSON.parse(line)) }),
      states: () => [this.state],
      submit: async (_shard, command) => {
        const left = this.waiting.get(command.key) ?? [];
        const next = left.slice(0, command.tasks);
        this.asked.push(`${command.key} ${command.passesOver === true ? 'passes over' : command.tasks}`);
        await turn();
        if (command.passesOver !== true) carryOut(command, next);
        left.splice(0, next.length);
        const waking = this.state.wakings.first(tenantId, command.key);
        if (left.length === 0 && waking !== undefined) this.state.wakings.removeFirst(waking, this.state.undo);
      },
      isShared: () => this.isShared,
      host,
    });
  }

  add(key: string, count: number): void {
    this.waiting.set(
      key,
      Array.from({ length: count }, (_, n) => n),
    );
    this.state.wakings.add(newWaking({ eventId: `event of ${key}`, tenantId, key, seq: 1 }));
  }

  /** What has been asked for since the last call, once nothing moves. */
  async settle(): Promise<string[]> {
    for (let before = -1; before !== this.asked.length;) {
      before = this.asked.length;
      for (let n = 0; n < 5; n++) await turn();
    }
    return this.asked.splice(0);
  }

  /** Until the next timer. @returns how long that was */
  advance(): number {
    const next = this.#timers.shift();
    if (next === undefined) return -1;
    const waitedMs = next.atMs - this.nowMs;
    this.nowMs = next.atMs;
    next.run();
    return waitedMs;
  }
}

it('sends page after page until an event is through, one at a time for each key', async () => {
  const scene = new Scene(() => undefined);
  scene.add('a', 250);
  scene.add('b', 150);
  scene.turns.fire();
  scene.turns.fire();
  expect(await scene.settle()).toEqual(['a 50', 'b 50', 'a 50', 'b 50', 'a 50', 'b 50', 'a 50', 'a 50']);
  expect([...scene.state.wakings]).toEqual([]);
});

it('beside other tenants pages are small, and each is followed by a pause as long as it took', async () => {
  const scene = new Scene(() => (scene.nowMs += 8));
  scene.add('a', 40);
  scene.isShared = true;
  scene.turns.fire();
  expect(await scene.settle()).toEqual(['a 15']);
  scene.turns.fire();
  expect(await scene.settle()).toEqual([]);
  expect(scene.advance()).toBe(8);
  expect(await scene.settle()).toEqual(['a 15']);
  scene.isShared = false;
  expect(scene.advance()).toBe(8);
  expect(await scene.settle()).toEqual(['a 50']);
  expect([...scene.state.wakings]).toEqual([]);
});

it('of many keys, five are woken at once', async () => {
  const scene = new Scene(() => undefined);
  for (let n = 0; n < 8; n++) scene.add(`k${n}`, 1);
  scene.turns.fire();
  expect(scene.asked).toHaveLength(5);
  expect(await scene.settle()).toHaveLength(8);
  expect([...scene.state.wakings]).toEqual([]);
});

it('a page that finds no room or no owner is sent again after a pause', async () => {
  let tries = 0;
  const scene = new Scene(() => {
    if (++tries <= 2) throw new HatchetError('NOT_OWNER', 'nobody is there');
  });
  scene.add('a', 10);
  scene.turns.fire();
  expect(await scene.settle()).toEqual(['a 50']);
  scene.turns.fire();
  expect(await scene.settle()).toEqual([]);
  expect(scene.advance()).toBeGreaterThanOrEqual(1_000);
  expect(await scene.settle()).toEqual(['a 50']);
  scene.advance();
  await scene.settle();
  expect([...scene.state.wakings]).toEqual([]);
});

it('where a page is refused, the guilty task is found by halves, tried again, and passed over; the others are woken', async () => {
  const woken: number[] = [];
  const scene = new Scene(({ key }, next) => {
    if (key === 'a' && next.includes(150)) throw new HatchetError('COMMAND_FAILED', 'no such row here');
    if (key === 'a') woken.push(...next);
  });
  scene.add('a', 200);
  scene.add('b', 10);
  scene.turns.fire();
  await scene.settle();
  // The other key is not held up.
  expect(scene.waiting.get('b')).toEqual([]);
  for (let n = 0; n < 20 && scene.advance() >= 0; n++) await scene.settle();
  expect([...scene.state.wakings]).toEqual([]);
  expect(woken).toEqual(Array.from({ length: 200 }, (_, n) => n).filter((n) => n !== 150));
  expect(scene.lines.at(-1)).toMatchObject({ event: 'event of a', key: 'a', level: 50 });
});

it('sends nothing more once the engine stops', async () => {
  const scene = new Scene(() => {
    throw new HatchetError('STOPPING', 'the engine stops');
  });
  scene.add('a', 10);
  scene.turns.fire();
  await scene.settle();
  scene.turns.fire();
  expect(await scene.settle()).toEqual([]);
});
