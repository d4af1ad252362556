import { describe, expect, it } from 'vitest';
import { Chances } from './chances.ts';
import { Scheduler } from './scheduler.ts';
import { SimulatedProcess } from './simulated-process.ts';

function made(): { scheduler: Scheduler; process: SimulatedProcess } {
  const chances = new Chances(1, 'order');
  const scheduler = new Scheduler(() => chances.number());
  const clocks = { wallAheadMs: 0, rate: 1, monotonicMs: 0 };
  return { scheduler, process: new SimulatedProcess('p', scheduler, { clocks, epochMs: 0 }) };
}

describe('simulated time', () => {
  it('goes from one happening to the next, and not on before all promises are settled', async () => {
    const { scheduler } = made();
    const seen: string[] = [];
    scheduler.at(20, () => seen.push(`${scheduler.nowMs}`));
    scheduler.at(10, () => {
      void Promise.resolve()
        .then(() => undefined)
        .then(() => seen.push(`${scheduler.nowMs}, later`));
    });
    scheduler.at(15, () => seen.push('never')).callOff();
    while (await scheduler.step(1_000));
    expect(seen).toEqual(['10, later', '20']);
    expect(scheduler.nowMs).toBe(1_000);
  });

  it('brings a process that stood still what was due meanwhile, an interval once', async () => {
    const { scheduler, process } = made();
    const seen: string[] = [];
    process.setInterval(() => seen.push(`beat ${Math.round(scheduler.nowMs)}`), 100);
    process.setTimeout(() => seen.push(`timer ${Math.round(scheduler.nowMs)}`), 250);
    scheduler.at(150, () => process.stall(1_000));
    while (await scheduler.step(1_300));
    expect(seen).toEqual(['beat 100', 'beat 1150', 'timer 1150', 'beat 1250']);
  });

  it('brings one that has ended nothing any more', async () => {
    const { scheduler, process } = made();
    let fired = 0;
    process.setInterval(() => fired++, 10);
    scheduler.at(35, () => process.end());
    while (await scheduler.step(200));
    expect(fired).toBe(3);
  });
});
