/** What the tenant of `load.ts` does in each scenario, phase by phase. */
import { setTimeout as delay } from 'node:timers/promises';
import { LiveState } from '../../engine/model/task/live-state.ts';
import { ConcurrencyLimitStrategy } from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { WorkerLabelComparator } from '../../proto/gen/hatchet/contract/v1/trigger.ts';
import { RateLimitDuration } from '../../proto/gen/hatchet/contract/workflows.ts';
import type { BareWorker } from './bare-worker.ts';
import { Drain } from './drain.ts';
import type { LoadTenant } from './load-tenant.ts';

/** In the order in which they are called; what one gives is printed with it. */
type Phases = Record<string, () => Promise<object | void>>;

const nothing = (): object => ({});

export const scenarios: Record<string, (tenant: LoadTenant) => Phases> = {
  bulk: (tenant) => ({
    define: () => tenant.putWorkflow('load').then(nothing),
    calls: async () => {
      const calls = tenant.size(100);
      await Promise.all(Array.from({ length: calls }, (_, call) => tenant.call(call * 1_000, 1_000, nothing)));
      return { calls };
    },
  }),

  limit: (tenant) => {
    let started = 0;
    return {
      define: async () => {
        await tenant.client.putRateLimit('api', 2_000, RateLimitDuration.SECOND);
        await tenant.putWorkflow('load', { rateLimits: [{ key: 'api', units: 1 }] });
        await tenant.worker(1_000_000, () => started++);
      },
      queue: async () => {
        await tenant.fill(tenant.size(100_000), nothing);
        return { queued: tenant.size(100_000) };
      },
      refills: async () => {
        const before = started;
        await delay(10_000);
        return { started: started - before };
      },
    };
  },

  labels: (tenant) => {
    const lines = tenant.size(10_000);
    const label = (intValue: number): object => ({
      gpu: { intValue, required: true, comparator: WorkerLabelComparator.EQUAL },
    });
    return {
      define: () => tenant.putWorkflow('load').then(nothing),
      queue: async () => {
        await tenant.fill(lines, (index) => ({ desiredWorkerLabels: { ...label(index) } }));
        return { lines };
      },
      /** One after the other, each with a label that one task waits for. */
      workers: async () => {
        for (let n = 0; n < 50; n++) {
          const intValue = Math.floor((n * lines) / 50);
          await new Promise<void>((resolve, reject) => {
            tenant.worker(1, () => resolve(), { gpu: { intValue } }).catch(reject);
          });
        }
        return { workers: 50 };
      },
    };
  },

  keys: (tenant) => {
    const keys = tenant.size(10_000);
    const drain = new Drain(tenant);
    return {
      define: () =>
        tenant
          .putWorkflow('load', {
            concurrency: [
              { expression: 'input.k', maxRuns: 1, limitStrategy: ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN },
            ],
          })
          .then(nothing),
      queue: async () => {
        await tenant.fill(keys * 10, (index) => ({ input: JSON.stringify({ k: `k${index % keys}` }) }));
        return { keys, queued: keys * 10 };
      },
      work: () => drain.run(tenant.size(20_000)),
    };
  },

  worker: (tenant) => {
    const slots = tenant.size(100_000);
    let worker: BareWorker | undefined;
    return {
      define: () => tenant.putWorkflow('load').then(nothing),
      queue: () => tenant.fill(slots, nothing),
      gained: async () => {
        await new Promise<void>((resolve, reject) => {
          let started = 0;
          const count = (): void => {
            if (++started === slots) resolve();
          };
          tenant.worker(slots, count).then((given) => (worker = given), reject);
        });
        return { slots };
      },
      lost: async () => {
        worker?.close();
        await tenant.untilLive(LiveState.Running, 0);
      },
    };
  },

  event: (tenant) => {
    const sleepers = tenant.size(10_000);
    return {
      define: () => tenant.startDurableWorker(1_000),
      asleep: async () => {
        await tenant.fill(sleepers, (id) => ({ name: 'approved', input: JSON.stringify({ id, all: true }) }));
        await tenant.untilLive(LiveState.Evicted, sleepers);
        return { sleepers };
      },
      event: async () => {
        const sentAt = performance.now();
        await tenant.client.pushEvent('approval');
        const answeredMs = Math.round(performance.now() - sentAt);
        await tenant.untilLive(LiveState.Evicted, 0);
        return { answeredMs };
      },
    };
  },

  log: (tenant) => {
    const nodes = tenant.size(10_000);
    return {
      define: () => tenant.startDurableWorker(10),
      asks: async () => {
        await tenant.fill(1, () => ({
          name: 'long',
          input: JSON.stringify({ nodes, together: true, scope: 'here' }),
        }));
        await tenant.untilLive(LiveState.Evicted, 1);
        return { nodes };
      },
      replay: async () => {
        await tenant.client.pushEvent('go', 'here');
        await tenant.untilLive(LiveState.Evicted, 0);
        await tenant.untilLive(LiveState.Running, 0);
      },
    };
  },

  queued: (tenant) => {
    const drain = new Drain(tenant);
    const tasks = tenant.size(1_000_000);
    const drained = Math.max(5_000, tenant.size(20_000));
    const fill = (): Promise<void> => tenant.fill(drained, nothing);
    const run = (): Promise<object> => drain.run(drained);
    return {
      define: () => tenant.putWorkflow('load').then(nothing),
      warmUpFill: fill,
      warmUp: run,
      emptyFill1: fill,
      emptyDrain1: run,
      emptyFill2: fill,
      emptyDrain2: run,
      emptyFill3: fill,
      emptyDrain3: run,
      fill: async () => {
        await tenant.fill(tasks, nothing);
        return { tasks };
      },
      waiting: () => delay(5_000),
      drain1: run,
      drain2: run,
      drain3: run,
      /** The engine is killed as this begins, and started again. */
      takeover: () => drain.beatThroughRestart(),
    };
  },
};
