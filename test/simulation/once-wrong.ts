import type { History } from './moves.ts';

/** Histories in which something went wrong once, as they had shrunk. */
export const onceWrong: readonly { what: string; history: History }[] = [
  {
    what: 'a late answer of the lane gave up a shard that had been lost and acquired anew meanwhile',
    history: {
      seed: 10599,
      engines: [{ wallAheadMs: 0, rate: 1, startMs: 0 }],
      tenants: 1,
      workersOfTenant: 1,
      endMs: 21828.16591858864,
      moves: [
        { atMs: 5071.718291805048, do: 'stallStatement', skip: 21, ms: 9000 },
        {
          atMs: 6321.432034971415,
          do: 'trigger',
          workflow: 'keyed',
          tenant: 0,
          key: 'q',
          count: 8,
          priority: 1,
          repeats: false,
        },
        { atMs: 14789.912724155603, do: 'takeShard', tenant: 0 },
      ],
    },
  },
  {
    what: 'a schedule that came due before it was stored was dropped without a run',
    history: {
      seed: 1727,
      engines: [{ wallAheadMs: 0, rate: 1, startMs: 0 }],
      tenants: 1,
      workersOfTenant: 1,
      endMs: 21115.989049896598,
      moves: [
        { atMs: 4760.916665731564, do: 'stepStoreClock', byMs: 3600000 },
        { atMs: 7157.787350828118, do: 'cut', of: 'any', skip: 5, when: 'after', losesAnswers: false, times: 3 },
        { atMs: 7832.2502938587895, do: 'stallEngine', pick: 620, ms: 7000 },
        { atMs: 10895.414175641039, do: 'durable', tenant: 0, program: { do: 'sleep', ms: 11111 } },
        { atMs: 14808.374658866365, do: 'flood', tenant: 0, forMs: 8920.413319952786, slowMs: 40 },
      ],
    },
  },
];
