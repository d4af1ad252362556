import { DatabaseError, type ClientConfig } from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { CelEvaluator } from '../cel/cel-evaluator.ts';
import type { Clock } from '../base/clock.ts';
import { BatchRefused, BatchUnknown, Lane, type Backend } from '../commit/lane.ts';
import { StagedPayloads } from '../commit/staged-payloads.ts';
import { HatchetError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { HistoryRow } from '../model/rows.ts';
import { shardCount, shardOf } from '../model/shard-of.ts';
import { newId } from '../model/uuid.ts';
import { PayloadReader } from '../payloads/payload-reader.ts';
import type { CommandByKind, CommandKind, ReplyByKind } from '../plan/commands/command.ts';
import type { Effect } from '../plan/state/effect.ts';
import { settleRows } from '../plan/state/live-rows.ts';
import { ShardState } from '../plan/state/shard-state.ts';
import { runCommand } from '../plan/commands/run-command.ts';
import { commandFailure, countRefusal } from './command-failure.ts';
import { dropExpired } from './drop-expired.ts';
import { isPassing } from './is-passing.ts';
import type { Job } from './job.ts';
import { JobPayloads, stagedOf } from './job-payloads.ts';
import { MailboxRoom } from './mailbox-room.ts';
import { acquireShards, releaseShards, settleOwnership } from './lease.ts';
import { loadForPlan } from './loader.ts';
import { Parking } from './parking.ts';
import { planBatch, rollbackBatch, shardSteps, type PlannedBatch } from './plan-batch.ts';
import { PostgresTrouble } from './postgres-trouble.ts';
import { recoverShards, type OpenAttempt } from './recovery.ts';
import { takeBatch } from './take-batch.ts';
import { Ticks } from './ticks.ts';

const renewMs = 1_500;
const acquireMs = 2_000;
/** How long what settling left waits for its next try after Postgres refused it: the lease's timer wakes the owner by then. */
const goOnMs = 1_000;

/** What the owner tells the rest of the engine. Called in commit order, never for what did not commit. */
export interface OwnerEvents {
  /** Crons or schedules may be due. */
  timersDue(state: ShardState, nowUs: number): void;
  /** @param nodes of durable tasks' logs that were asked or satisfied */
  committed(effects: readonly Effect[], history: readonly HistoryRow[], nodes: readonly { taskId: string }[]): void;
  recovered(open: readonly OpenAttempt[], states: readonly ShardState[]): void;
  /** Everything said about these shards is void: another process owns them. */
  lost(): void;
}

/**
 * Owns shards: their commands go one after the other through memory and one transaction, and only then are callers
 * answered. What gathers while a transaction runs is the next batch.
 */
export class Owner {
  readonly #config: ClientConfig;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #trouble: PostgresTrouble;
  readonly #events: OwnerEvents;
  readonly #ticks: Ticks;
  readonly #graceMs: number;
  readonly #id = newId();
  readonly #states = new Map<number, ShardState>();
  /** For whoever prepares commands; `cel` also for what a plan asks. */
  readonly cel = new CelEvaluator();
  readonly payloads = new PayloadReader();
  readonly #staging: StagedPayloads;
  readonly #parking: Parking;
  #queue: Job[] = [];
  readonly #room = new MailboxRoom();
  #lane: Lane | undefined;
  #lastBackend: Backend | undefined;
  #batch = 0;
  #pumping: Promise<void> | undefined;
  #renewedAt = 0;
  #acquiredAt = 0;
  #renewTimer: NodeJS.Timeout | undefined;
  #stopping = false;
  /** What no command asked for was refused: it is tried again then, or with the next command. */
  #goOnAt = 0;

  constructor(options: {
    config: ClientConfig;
    clock: Clock;
    log: Logger;
    events: OwnerEvents;
    workerTimeoutMs?: number;
  }) {
    this.#config = options.config;
    this.#graceMs = options.workerTimeoutMs ?? 0;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#trouble = new PostgresTrouble(this.#log);
    this.#events = options.events;
    this.#staging = new StagedPayloads(options.config, options.log);
    this.#parking = new Parking(this.cel, this.#staging, (job) => this.#unpark(job));
    this.#ticks = new Ticks({
      clock: options.clock,
      log: options.log,
      states: () => this.#states.values(),
      submit: (shard, command) =>
        command.kind === 'tick' ? this.submitTo(shard, command) : this.submitTo(shard, command),
      timersDue: (state, nowUs) => options.events.timersDue(state, nowUs),
    });
  }

  /** Connects, takes over what is free and loads it. Shards of a living owner are taken when that one goes. */
  async start(): Promise<void> {
    await this.#connect();
    await this.#acquire();
    this.#renewTimer = setInterval(() => this.#wake(), renewMs / 3);
  }

  /** The memory of a tenant's shard, where this process owns it. Read-only for callers. */
  stateOf(tenantId: string): ShardState | undefined {
    return this.#states.get(shardOf(tenantId));
  }

  get states(): Iterable<ShardState> {
    return this.#states.values();
  }

  /** The time by which deadlines and ticks are reckoned. */
  get nowUs(): number {
    return this.#clock.nowUs();
  }

  /** Resolves once no command waits and none is being carried out. */
  async idle(): Promise<void> {
    while (this.#pumping !== undefined || !this.#parking.isEmpty) await (this.#pumping ?? this.#parking.settled());
  }

  /** How many commands wait for a batch. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * Carries out a command; resolves after its commit.
   * @throws HatchetError for a refusal, PAYLOAD_TOO_LARGE, NOT_OWNER when no owner was found in time, or too much waits already
   */
  submit<K extends CommandKind>(tenantId: string, command: CommandByKind[K] & { kind: K }): Promise<ReplyByKind[K]> {
    return this.submitTo<K>(shardOf(tenantId), command);
  }

  submitTo<K extends CommandKind>(shard: number, command: CommandByKind[K] & { kind: K }): Promise<ReplyByKind[K]> {
    if (this.#stopping)
      return Promise.reject(
        new HatchetError('STOPPING', 'the engine is stopping', { remedy: 'Try again once it is back.' }),
      );
    const payloads = new JobPayloads(command);
    return new Promise<ReplyByKind[K]>((resolve, reject) => {
      const free = this.#room.enter(this.#queue.length, payloads.size);
      const leave = (): void => (free(), this.#staging.release(payloads.staged));
      this.#queue.push({
        shard,
        command,
        payloads,
        queuedAtMs: performance.now(),
        mayBeDone: false,
        run: (plan) => {
          const reply = runCommand(plan, command.kind, command);
          return () => {
            leave();
            resolve(reply);
          };
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      });
      this.#wake();
    });
  }

  /** Commits what waits, gives the shards back and disconnects. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    clearInterval(this.#renewTimer);
    this.#ticks.stop();
    await Promise.all([this.cel.stop(), this.payloads.stop()]);
    this.#staging.stop();
    await this.#pumping;
    await this.#parking.settled();
    if (this.#lane !== undefined) {
      while (this.#lane !== undefined && this.#queue.some((job) => this.#isReady(job)))
        await this.#runBatch(this.#take());
      await releaseShards(this.#lane.client, this.#id).catch((error: unknown) =>
        this.#log.warn({ err: error }, 'the shards could not be given back; their lease runs out in 5 s'),
      );
      await this.#lane.close();
    }
    for (const job of this.#queue.splice(0))
      job.reject(new HatchetError('STOPPING', 'the engine stopped before it could carry this out'));
    await this.#staging.close();
    this.#states.clear();
  }

  #wake(connectionLost?: Error): void {
    if (connectionLost !== undefined) this.#trouble.lost(connectionLost, 'the connection to Postgres was lost');
    if (this.#pumping !== undefined || this.#stopping) return;
    // The next turn of the loop: whatever arrived in this one joins the batch.
    this.#pumping = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#pump())
      .catch((error: unknown) => this.#log.error({ err: error }, 'the owner stopped unexpectedly and starts again'))
      .finally(() => {
        this.#pumping = undefined;
        if (this.#queue.some((job) => this.#isReady(job))) this.#wake();
      });
  }

  async #pump(): Promise<void> {
    if (this.#lane === undefined) await this.#reconnect([]);
    if (this.#states.size < shardCount && performance.now() - this.#acquiredAt > acquireMs) await this.#acquire();
    this.#queue = dropExpired(this.#queue, performance.now());
    while (!this.#stopping) {
      const jobs = this.#take();
      if (jobs.length === 0 && performance.now() - this.#renewedAt < renewMs && !this.#hasMore()) break;
      await this.#runBatch(jobs);
      // Calls that arrived meanwhile are read first, and join the next batch.
      if (jobs.length > 0 || this.#hasMore()) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#ticks.arm();
  }

  /** Shards that go on with what the last transactions had no room for, unless Postgres has just refused that. */
  #goingOn(): Iterable<ShardState> {
    return performance.now() < this.#goOnAt ? [] : this.#states.values();
  }

  #hasMore(): boolean {
    for (const state of this.#goingOn()) if (state.hasMore) return true;
    return false;
  }

  /** Its shard is owned, and none that it must not overtake is away. */
  #isReady(job: Job): boolean {
    return this.#states.has(job.shard) && !this.#parking.blocks(job);
  }

  /** Back from what it was away for: next in line. */
  #unpark(job: Job): boolean {
    if (this.#stopping)
      job.reject(new HatchetError('STOPPING', 'the engine is stopping', { remedy: 'Try again once it is back.' }));
    else this.#queue.unshift({ ...job, queuedAtMs: performance.now() });
    this.#wake();
    return !this.#stopping;
  }

  #take(): Job[] {
    const { jobs, left } = takeBatch(this.#queue, (job) => this.#isReady(job));
    const { ready, behind } = this.#stopping ? { ready: jobs, behind: [] } : this.#parking.admitToLoad(jobs);
    this.#queue = behind.length === 0 ? left : [...behind, ...left];
    return ready;
  }

  async #runBatch(loading: readonly Job[]): Promise<void> {
    const lane = this.#lane;
    if (lane === undefined) {
      this.#queue = [...loading, ...this.#queue];
      return this.#reconnect([]);
    }
    try {
      await loadForPlan(
        { client: lane.client, stateOf: (shard) => this.#states.get(shard), clock: this.#clock },
        loading,
      );
    } catch (error) {
      this.#log.warn({ err: error }, 'a batch could not be loaded');
      // With Postgres there, trying the same again would fail again.
      if (!(error instanceof DatabaseError && isPassing(error.code ?? '')) && (await lane.isAlive()))
        return this.#bisect(loading, error);
      this.#queue = [...loading, ...this.#queue];
      return this.#reconnect([]);
    }
    const { ready: jobs, behind } = this.#parking.admitToPlan(loading);
    const batch = planBatch(jobs, (shard) => this.#states.get(shard), this.#clock.nowUs(), this.#log, this.#goingOn());
    if (batch.again.length + behind.length > 0) this.#queue = [...batch.again, ...behind, ...this.#queue];
    const renew = performance.now() - this.#renewedAt >= renewMs;
    if (batch.changes.isEmpty && !renew) return this.#release(batch);
    const steps = shardSteps(renew ? this.#states.values() : batch.plans.keys());
    const number = ++this.#batch;
    try {
      await lane.commit(steps, number, batch.changes, stagedOf(batch.jobs));
    } catch (error) {
      return this.#commitFailed(batch, number, error);
    }
    this.#committed(
      batch,
      number,
      steps.map((step) => step.id),
      renew,
    );
  }

  #committed(batch: PlannedBatch, number: number, shards: readonly number[], renewed: boolean): void {
    for (const id of shards) {
      const state = this.#states.get(id);
      if (state !== undefined) state.lastBatch = number;
    }
    if (renewed) this.#renewedAt = performance.now();
    this.#trouble.over();
    this.#release(batch);
  }

  #release(batch: PlannedBatch): void {
    for (const state of batch.plans.keys()) settleRows(state);
    const { effects, history, durableEntries, durableResults } = batch.changes;
    this.#events.committed(effects, history, [...durableEntries, ...durableResults]);
    for (const { answer } of batch.outcomes) answer();
  }

  async #commitFailed(batch: PlannedBatch, number: number, error: unknown): Promise<void> {
    if (error instanceof BatchRefused) {
      rollbackBatch(batch);
      if (error.notOwner) return this.#lose(batch.jobs);
      if (error.stagedLost) for (const { payloads } of batch.jobs) payloads.unstage();
      if (error.stagedLost || isPassing(error.sqlstate)) {
        this.#trouble.refused(error, error.sqlstate);
        this.#queue = [...batch.jobs, ...this.#queue];
        await delay(200);
        this.#queue = dropExpired(this.#queue, performance.now());
        return;
      }
      return this.#bisect(batch.jobs, error);
    }
    if (!(error instanceof BatchUnknown)) this.#log.error({ err: error }, 'an unexpected error of the commit lane');
    return this.#reconnect([{ batch, number }]);
  }

  /** A batch with a poison command: halves, until it stands alone and fails alone. */
  async #bisect(jobs: readonly Job[], error: unknown): Promise<void> {
    const [only] = jobs;
    if (jobs.length > 1) {
      const half = Math.ceil(jobs.length / 2);
      await this.#runBatch(jobs.slice(0, half));
      return this.#runBatch(jobs.slice(half));
    }
    countRefusal(error);
    if (only === undefined) this.#goOnAt = performance.now() + goOnMs;
    this.#log.warn({ err: error, command: only?.command.kind }, 'a command could not be carried out');
    only?.reject(commandFailure(error, only.command.kind));
  }

  async #connect(): Promise<void> {
    this.#lane = await Lane.connect(this.#config, (error) => this.#wake(error));
    this.#lastBackend = this.#lane.backend;
  }

  /** A new connection, and the truth about what was in flight on the old one. */
  async #reconnect(open: readonly { batch: PlannedBatch; number: number }[]): Promise<void> {
    this.#lane?.destroy();
    this.#lane = undefined;
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1000)) {
      try {
        const lane = await Lane.connect(this.#config, (error) => this.#wake(error));
        const fate = await settleOwnership(lane.client, {
          owner: this.#id,
          ids: [...this.#states.keys()],
          old: this.#lastBackend ?? lane.backend,
          backend: lane.backend,
        });
        this.#lane = lane;
        this.#lastBackend = lane.backend;
        if (!fate.owned) {
          for (const { batch } of open) rollbackBatch(batch);
          return await this.#lose(open.flatMap(({ batch }) => batch.jobs));
        }
        for (const shard of fate.shards) {
          const state = this.#states.get(shard.id);
          if (state !== undefined) state.epoch = shard.epoch;
        }
        const stored = new Map(fate.shards.map((shard) => [shard.id, shard.lastBatch]));
        for (const { batch, number } of open) {
          const happened = [...batch.plans.keys()].some((state) => stored.get(state.id) === number);
          this.#log.warn({ batch: number, happened }, 'the fate of a batch in flight was found out');
          for (const state of this.#states.values()) state.lastBatch = stored.get(state.id) ?? state.lastBatch;
          if (happened) {
            this.#release(batch);
          } else {
            rollbackBatch(batch);
            this.#queue = [...batch.jobs, ...this.#queue];
          }
        }
        return this.#trouble.over();
      } catch (error) {
        if (this.#stopping) {
          for (const { batch } of open) {
            rollbackBatch(batch);
            for (const job of batch.jobs)
              job.reject(
                new HatchetError(
                  'STOPPING',
                  'the engine stopped while Postgres was away; whether this was stored is not known',
                ),
              );
          }
          return;
        }
        this.#trouble.lost(error, 'Postgres cannot be reached; trying again');
        if (open.length === 0) this.#queue = dropExpired(this.#queue, performance.now());
        await delay(pauseMs);
      }
    }
  }

  /** Another owner was there: all memory is void. The jobs wait for this process, or for their time to run out. */
  async #lose(jobs: readonly Job[]): Promise<void> {
    this.#log.warn('another engine took the shards over');
    this.#states.clear();
    this.#ticks.lost();
    this.#events.lost();
    for (const job of jobs) job.mayBeDone = true;
    this.#queue = [...jobs, ...this.#queue];
    this.#acquiredAt = performance.now();
    await this.#acquire();
  }

  async #acquire(): Promise<void> {
    const lane = this.#lane;
    if (lane === undefined) return;
    this.#acquiredAt = performance.now();
    try {
      const wanted = Array.from({ length: shardCount }, (_, id) => id).filter((id) => !this.#states.has(id));
      const owned = await acquireShards(lane.client, {
        owner: this.#id,
        backend: lane.backend,
        wanted,
        graceMs: this.#graceMs,
      });
      if (owned.length === 0) return;
      const fresh = new Map(owned.map((shard) => [shard.id, new ShardState(shard)]));
      const open = await recoverShards(lane.client, fresh, this.#clock.nowUs());
      for (const [id, state] of fresh) this.#states.set(id, state);
      this.#batch = Math.max(this.#batch, ...owned.map((shard) => shard.lastBatch));
      this.#renewedAt = 0;
      this.#log.info(
        {
          shards: owned.length,
          tasks: [...fresh.values()].reduce((sum, state) => sum + state.tasks.size, 0),
          ms: Math.round(performance.now() - this.#acquiredAt),
        },
        'shards taken over',
      );
      this.#events.recovered(open, [...fresh.values()]);
    } catch (error) {
      this.#log.warn({ err: error }, 'the shards could not be taken over; trying again');
      await this.#reconnect([]);
    }
  }

  /** When a shard is next to be looked at for what time alone changes. */
  nextDueUs(state: ShardState): number {
    return this.#ticks.nextUs(state);
  }

  /** Looks again at timers that could not be fired, or whose time has been moved. */
  wakeForTimers(): void {
    this.#ticks.fire();
  }
}
