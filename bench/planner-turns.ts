/**
 * The longest turn of the event loop where one thing changes while very many wait: `npm run bench:turns [scenario…]`, with
 * `--quick` for a tenth of the sizes. The planner alone (commands, settling, rows of `live`), without Postgres: a turn is
 * one transaction. Prints one JSON line a scenario; for bytes it needs `--expose-gc`, which the npm script gives.
 */
import type { ConcurrencyStrategy, StepDefinition } from '../engine/model/definition.ts';
import type { ConcurrencyDemand, Demands, RateLimitDemand } from '../engine/model/task/demands.ts';
import { plainStep, plainWorkflow } from '../engine/model/definition.ts';
import type { CommandByKind, CommandKind } from '../engine/plan/commands/command.ts';
import { planCommand } from '../engine/plan/commands/command.ts';
import { noFacts } from '../engine/plan/commands/loaded-facts.ts';
import { settle } from '../engine/plan/settle/settle-tenants.ts';
import { ChangeSet } from '../engine/plan/state/change-set.ts';
import { collectLive, settleRows } from '../engine/plan/state/live-rows.ts';
import { ShardState } from '../engine/plan/state/shard-state.ts';
import { tenantOf } from '../test/helpers/tenant.ts';

const tenantId = tenantOf('00000000-0000-7000-8000-00000000000a');
const perTurn = 500;
const isQuick = process.argv.includes('--quick');
const size = (full: number): number => (isQuick ? Math.ceil(full / 10) : full);

type Command = CommandByKind[CommandKind];

/** One shard, and how long its turns took. */
class Shard {
  readonly state = new ShardState({ id: 0, epoch: 1, lastTransaction: 0, seq: 0, lostUs: 0 });
  nowUs = 1_800_000_000_000_000;
  readonly #versionId: string;
  #ids = 0;
  turns: number[] = [];
  /** Of all threads of the process, the garbage collector's too: what a busy machine leaves as it is. */
  cpu: number[] = [];
  assigned: { taskId: string; attempt: number }[] = [];

  constructor() {
    const step: StepDefinition = {
      name: 'one',
      action: 'wf:one',
      parents: [],
      retries: 0,
      backoffFactor: null,
      backoffMaxSeconds: null,
      executionTimeoutMs: 86_400_000,
      scheduleTimeoutMs: 86_400_000,
      slots: { default: 1 },
      durable: false,
      ...plainStep,
    };
    this.#versionId = this.id();
    this.turn([
      {
        kind: 'putWorkflow',
        tenantId,
        definition: {
          name: 'wf',
          description: '',
          defaultPriority: 1,
          inputJsonSchema: null,
          steps: [step],
          ...plainWorkflow,
        },
        checksum: '1',
        workflowId: this.id(),
        versionId: this.#versionId,
        filterIds: [],
        crons: [],
      },
    ]);
  }

  id(): string {
    this.#ids++;
    return `01900000-0000-7000-8000-${this.#ids.toString(16).padStart(12, '0')}`;
  }

  /** One transaction. @returns its milliseconds */
  turn(commands: readonly Command[]): number {
    const from = performance.now();
    const cpu = process.cpuUsage();
    this.nowUs += 1000;
    const plan = { state: this.state, nowUs: this.nowUs, changes: new ChangeSet() };
    for (const command of commands) planCommand(plan, command, noFacts);
    settle([plan]);
    collectLive(plan);
    settleRows(this.state);
    const ms = performance.now() - from;
    const { user, system } = process.cpuUsage(cpu);
    this.turns.push(ms);
    this.cpu.push((user + system) / 1000);
    for (const effect of plan.changes.effects) if (effect.kind === 'dispatch') this.assigned.push(effect);
    return ms;
  }

  /** A transaction, and those that go on with what it had no room for. */
  run(...commands: readonly Command[]): void {
    this.turn(commands);
    while (this.state.hasMore) this.turn([]);
  }

  trigger(demands: Demands | null): Command {
    const runId = this.id();
    const run = {
      runId,
      taskIds: [runId],
      versionId: this.#versionId,
      input: '{}',
      metadata: '{}',
      priority: 1,
      parentTaskId: null,
      childIndex: null,
      childKey: null,
      filterPayload: null,
      placement: null,
      idempotency: null,
      ownId: false,
      earlierIds: [],
      demands: demands === null ? null : [{ demands, error: null }],
    };
    return { kind: 'trigger', tenantId, runs: [run] };
  }

  queue(count: number, demandsOf: (index: number) => Demands | null): void {
    for (let from = 0; from < count; from += perTurn)
      this.run(
        ...Array.from({ length: Math.min(perTurn, count - from) }, (_, index) => this.trigger(demandsOf(from + index))),
      );
  }

  /** A worker that has registered, and becomes assignable with the second command. */
  worker(slots: number, labels: Record<string, number> = {}): { workerId: string; present: Command } {
    const workerId = this.id();
    this.run({
      kind: 'registerWorker',
      tenantId,
      workerId,
      name: 'w',
      actions: ['wf:one'],
      slots: { default: slots },
      labels,
      runtime: {},
    });
    return { workerId, present: { kind: 'workerPresence', tenantId, workerId, assignable: true } };
  }

  complete({ taskId, attempt }: { taskId: string; attempt: number }): Command {
    return { kind: 'completed', tenantId, taskId, attempt, output: '{}' };
  }

  /** The turns that a deed takes. */
  measure(deed: () => void): { turns: number; longestMs: number; longestCpuMs: number; totalMs: number } {
    this.turns = [];
    this.cpu = [];
    deed();
    return {
      turns: this.turns.length,
      longestMs: round(Math.max(...this.turns)),
      longestCpuMs: round(Math.max(...this.cpu)),
      totalMs: round(this.turns.reduce((sum, ms) => sum + ms, 0)),
    };
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function asks(demands: Partial<Demands>): Demands {
  return { concurrency: [], rateLimits: [], labels: [], desiredWorkerId: null, ...demands };
}

function place(strategy: ConcurrencyStrategy, maxRuns: number, key: string): ConcurrencyDemand {
  return { level: 'task', strategyId: 'wf/one/0', strategy, key, maxRuns };
}

function heapBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const unit: RateLimitDemand = { key: 'api', units: 1, limit: null, window: 'MINUTE' };
const put = (limit: number): Command => ({ kind: 'putRateLimit', tenantId, key: 'api', limit, window: 'MINUTE' });

/** What a deed takes in a shard in which nothing waits. */
function quiet(deed: (shard: Shard) => void): number {
  const shard = new Shard();
  for (let times = 0; times < 20; times++) deed(shard);
  return shard.measure(() => deed(shard)).longestMs;
}

const scenarios: Record<string, () => unknown> = {
  limit: () => {
    const shard = new Shard();
    shard.run(put(2_000));
    shard.run(shard.worker(1_000_000).present);
    const queue = shard.measure(() => shard.queue(size(100_000), () => asks({ rateLimits: [unit] })));
    const resize = shard.measure(() => shard.run(put(2_001)));
    const again = shard.measure(() => shard.run(put(2_001)));
    const refill = shard.measure(() => {
      shard.nowUs += 61_000_000;
      shard.run({ kind: 'tick' });
    });
    const trigger = shard.measure(() => shard.run(shard.trigger(null)));
    return { waiting: size(100_000), queue, resize, again, refill, trigger };
  },
  labels: () => {
    const shard = new Shard();
    shard.run(shard.worker(1_000_000, { gpu: -1 }).present);
    const labels = (value: number): Demands =>
      asks({ labels: [{ key: 'gpu', value, comparator: 'EQUAL', required: true, weight: 100 }] });
    const queue = shard.measure(() => shard.queue(size(10_000), labels));
    const trigger = shard.measure(() => shard.run(shard.trigger(null)));
    const labelled = shard.measure(() => shard.run(shard.trigger(labels(77))));
    const { present } = shard.worker(10, { gpu: 77 });
    const worker = shard.measure(() => shard.run(present));
    return {
      lines: size(10_000),
      queue,
      trigger,
      labelled,
      worker,
      quietMs: quiet((each) => each.run(each.trigger(null))),
    };
  },
  keys: () => {
    const shard = new Shard();
    shard.run(shard.worker(100).present);
    const keys = size(10_000);
    const queue = shard.measure(() =>
      shard.queue(keys * 10, (index) => asks({ concurrency: [place('GROUP_ROUND_ROBIN', 1, `k${index % keys}`)] })),
    );
    const finish = shard.measure(() => {
      for (let done = 0; done < 1_000; done++) {
        const task = shard.assigned[done];
        if (task !== undefined) shard.run(shard.complete(task));
      }
    });
    const trigger = shard.measure(() => shard.run(shard.trigger(null)));
    return { keys, queue, finish, trigger };
  },
  worker: () => {
    const shard = new Shard();
    shard.queue(size(100_000), () => null);
    const { workerId, present } = shard.worker(1_000_000);
    const gained = shard.measure(() => shard.run(present));
    const lost = shard.measure(() => shard.run({ kind: 'workerLost', tenantId, workerId, forget: true }));
    return { slots: size(100_000), gained, lost };
  },
  cancel: () => {
    const shard = new Shard();
    const places = size(5_000);
    const demands = asks({ concurrency: [place('CANCEL_IN_PROGRESS', places, 'k')] });
    shard.run(shard.worker(1_000_000).present);
    shard.queue(places + 1, () => demands);
    const arrival = shard.measure(() => shard.run(shard.trigger(demands)));
    const lowered = shard.measure(() =>
      shard.run(shard.trigger(asks({ concurrency: [place('CANCEL_IN_PROGRESS', 1, 'k')] }))),
    );
    return { places, arrival, lowered, quietMs: quiet((each) => each.run(each.trigger(demands))) };
  },
  arrivals: () => {
    const shard = new Shard();
    const commands = Array.from({ length: size(200_000) }, (_, index) =>
      shard.trigger(asks({ concurrency: [place('GROUP_ROUND_ROBIN', 1, `k${index % 1000}`)] })),
    );
    // As a take-over leaves them: all in line to be judged.
    const plan = { state: shard.state, nowUs: shard.nowUs, changes: new ChangeSet() };
    for (const command of commands) planCommand(plan, command, noFacts);
    collectLive(plan);
    settleRows(shard.state);
    return { arrivals: size(200_000), judged: shard.measure(() => shard.run()) };
  },
  queued: () => {
    const tasks = size(1_000_000);
    const bytesOf = (demandsOf: (index: number) => Demands | null): { bytes: number; shard: Shard } => {
      const shard = new Shard();
      const before = heapBytes();
      shard.queue(tasks, demandsOf);
      shard.turns = [];
      shard.cpu = [];
      return { bytes: round((heapBytes() - before) / tasks), shard };
    };
    const drain = (shard: Shard): number => {
      shard.run(shard.worker(100).present);
      const from = performance.now();
      for (let done = 0; done < 20_000; done += 100)
        shard.run(...shard.assigned.slice(done, done + 100).map((task) => shard.complete(task)));
      return Math.round(20_000 / ((performance.now() - from) / 1000));
    };
    const plain = bytesOf(() => null);
    const trigger = plain.shard.measure(() => plain.shard.run(plain.shard.trigger(null)));
    const drained = drain(plain.shard);
    const small = new Shard();
    small.queue(21_000, () => null);
    const keyed = bytesOf((index) => asks({ concurrency: [place('GROUP_ROUND_ROBIN', 1, `k${index % 10_000}`)] }));
    return {
      tasks,
      bytesPlain: plain.bytes,
      bytesKeyed: keyed.bytes,
      trigger,
      drainedPerSecond: drained,
      drainedFromShortQueue: drain(small),
    };
  },
};

/** So that no scenario pays for the compiler. */
function warmUp(): void {
  const shard = new Shard();
  const demands = asks({ concurrency: [place('GROUP_ROUND_ROBIN', 1, 'k')], rateLimits: [unit] });
  shard.run(put(1_000));
  shard.queue(4_000, (index) => (index % 2 === 0 ? null : demands));
  const { workerId, present } = shard.worker(100);
  shard.run(present);
  for (let done = 0; done < 2_000; done++)
    for (const task of shard.assigned.slice(done, done + 1)) shard.run(shard.complete(task));
  shard.run({ kind: 'workerLost', tenantId, workerId, forget: true });
}

warmUp();
const asked = process.argv.slice(2).filter((each) => !each.startsWith('--'));
for (const [name, scenario] of Object.entries(scenarios))
  if (asked.length === 0 || asked.includes(name))
    process.stdout.write(`${JSON.stringify({ scenario: name, ...Object(scenario()) })}\n`);
