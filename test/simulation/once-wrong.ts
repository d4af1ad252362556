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
];
