import { afterEach, describe, expect, it } from 'vitest';
import { KillRun, type KillRunOptions } from '../helpers/kill-run.ts';

const seed = Number(process.env['SEED'] ?? 7_077);
const own = process.env['KILLS'] === undefined ? undefined : Number(process.env['KILLS']);
/** For several engines. With a rate they run under so many tasks a second, in place of 500 in flight. */
const load = process.env['RATE'] === undefined ? { inFlight: 500 } : { inFlight: 0, rate: Number(process.env['RATE']) };
let run: KillRun | undefined;

afterEach(async () => run?.stop(), 60_000);

async function kill(options: KillRunOptions): Promise<string[]> {
  run = new KillRun(options);
  return run.run();
}

describe('kill -9 of anything loses nothing and doubles nothing', () => {
  it('with workers of ours, whose reports are never given up', async () => {
    expect(await kill({ worker: 'worker.mjs', workers: 3, kills: own ?? 8, inFlight: 1000, seed })).toEqual([]);
  }, 600_000);

  // It gives up a report after 8 tries with 12.7 s of pauses, and reports a failure instead: no outage may last as long, so
  // there is little to start again.
  it('with workers of the published SDK', async () => {
    expect(await kill({ worker: 'published-worker.mjs', workers: 1, kills: own ?? 5, inFlight: 60, seed })).toEqual([]);
  }, 300_000);

  it('with three engines on one Postgres, and workers of ours behind a load balancer', async () => {
    const options = { engines: 3, workers: 3, kills: own ?? 4, ...load, seed } as const;
    expect(await kill({ worker: 'worker.mjs', ...options })).toEqual([]);
  }, 3_600_000);

  it('with two edges before three engines, and workers of ours behind a load balancer', async () => {
    const options = { engines: 3, edges: 2, workers: 3, kills: own ?? 6, ...load, seed } as const;
    expect(await kill({ worker: 'worker.mjs', ...options })).toEqual([]);
  }, 3_600_000);
});
