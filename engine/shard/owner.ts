import { DatabaseError, type ClientConfig } from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { CelEvaluator } from '../cel/cel-evaluator.ts';
import type { Clock } from '../base/clock.ts';
import { BatchRefused, BatchUnknown, type Lane } from '../commit/lane.ts';
import { StagedPayloads } from '../commit/staged-payloads.ts';
import { HatchetError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { HistoryRow } from '../model/rows.ts';
import { shardOf } from '../model/shard-of.ts';
import { PayloadReader } from '../payloads/payload-reader.ts';
import type { CommandByKind, CommandKind, ReplyByKind } from '../plan/commands/command.ts';
import type { Effect } from '../model/effect.ts';
import { settleRows } from '../plan/state/live-rows.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import { kindOf, planCommand } from '../plan/commands/command.ts';
import { noFacts } from '../plan/commands/facts.ts';
import { commandFailure, countRefusal, planFailure } from './command-failure.ts';
import { loadFacts } from './facts/load-facts.ts';
import { LongLogs } from './facts/long-logs.ts';
import { isPassing } from './is-passing.ts';
import type { Job } from './job.ts';
import { JobPayloads, stagedOf } from './job-payloads.ts';
import { LaneConnection } from './lane-connection.ts';
import { Mailbox } from './mailbox.ts';
import { MailboxRoom } from './mailbox-room.ts';
import { readOwnedShards } from './ownership/lease.ts';
import { Ownership, type ServedShard } from './ownership/ownership.ts';
import { Parking } from './parking.ts';
import { planBatch, rollbackBatch, shardSteps, type PlannedBatch } from './plan-batch.ts';
import { PostgresTrouble } from './postgres-trouble.ts';
import type { OpenAttempt } from './recovery/recover-shard.ts';
import { isTimes, Ticks } from './ticks.ts';

/** What the owner tells the rest of the engine. Called in commit order, never for what did not commit. What a listener throws is logged. */
export interface OwnerEvents {
  /** Crons or schedules may be due. */
  timersDue(state: ShardState, nowUs: number): void;
  /** @param nodes of durable tasks' logs that were asked or satisfied */
  committed(effects: readonly Effect[], history: readonly HistoryRow[], nodes: readonly { taskId: string }[]): void;
  /** These shards are served from now on, whatever becomes of others. */
  recovered(open: readonly OpenAttempt[], states: readonly ShardState[]): void;
  /** Everything said about these shards is void: another process owns them, or this one recovers them anew. */
  lost(states: readonly ShardState[]): void;
}

/**
 * Owns shards: their commands go one after the other through memory and one transaction, and only then are callers
 * answered. What gathers while a transaction runs is the next one.
 */
export class Owner {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #trouble: PostgresTrouble;
  readonly #events: OwnerEvents;
  readonly #ticks: Ticks;
  readonly #ownership: Ownership;
  readonly #connection: LaneConnection;
  /** For whoever prepares commands; `cel` also for what a plan asks. */
  readonly cel = new CelEvaluator();
  readonly payloads = new PayloadReader();
  readonly #staging: StagedPayloads;
  readonly #logs: LongLogs;
  readonly #parking: Parking;
  readonly #awakeMs: () => number;
  readonly #mailbox = new Mailbox(
    (shard) => this.#ownership.stateOf(shard) !== undefined,
    () => this.#awakeMs(),
  );
  readonly #room = new MailboxRoom();
  /** The number of the last transaction, of whatever shards. */
  #batch = 0;
  #pumping: Promise<void> | undefined;
  #stopping = false;

  constructor(options: {
    config: ClientConfig;
    clock: Clock;
    log: Logger;
    events: OwnerEvents;
    workerTimeoutMs?: number;
    /** A clock that stands still while this process does: commands wait by it. */
    awakeMs?: () => number;
  }) {
    this.#awakeMs = options.awakeMs ?? (() => performance.now());
    this.#clock = options.clock;
    this.#log = options.log;
    this.#trouble = new PostgresTrouble(this.#log);
    this.#events = options.events;
    this.#ownership = new Ownership({
      config: options.config,
      clock: options.clock,
      log: options.log,
      graceMs: options.workerTimeoutMs ?? 0,
      events: { served: (shards) => this.#served(shards), lost: (states) => this.#lost(states) },
    });
    this.#connection = new LaneConnection({
      config: options.config,
      owner: this.#ownership.id,
      onLost: (error) => {
        this.#trouble.lost(error, 'the connection to Postgres was lost');
        this.#wake();
      },
    });
    this.#staging = new StagedPayloads(options.config, options.log);
    this.#logs = new LongLogs(options.config, options.log);
    this.#parking = new Parking({ cel: this.cel, payloads: this.#staging, logs: this.#logs }, (job) =>
      this.#unpark(job),
    );
    this.#ticks = new Ticks({
      clock: options.clock,
      log: options.log,
      states: () => this.#ownership.states(),
      submit: (shard, command) =>
        command.kind === 'tick' ? this.submitTo(shard, command) : this.submitTo(shard, command),
      timersDue: (state, nowUs) => this.#tell(() => options.events.timersDue(state, nowUs)),
    });
  }

  /**
   * Connects, takes over what is free, and resolves once that is served. Each shard is served as soon as it is recovered; shards
   * of a living owner are taken when that one goes.
   */
  async start(): Promise<void> {
    await this.#connection.connect();
    await this.#ownership.start();
  }

  /** The memory of a tenant's shard, where this process serves it. Read-only for callers. */
  stateOf(tenantId: string): ShardState | undefined {
    return this.#ownership.stateOf(shardOf(tenantId));
  }

  get states(): Iterable<ShardState> {
    return this.#ownership.states();
  }

  /** The time by which deadlines and ticks are reckoned. */
  get nowUs(): number {
    return this.#clock.nowUs();
  }

  /** Resolves once no command waits and none is being carried out. */
  async idle(): Promise<void> {
    for (;;) {
      if (this.#pumping !== undefined) await this.#pumping;
      else if (!this.#parking.isEmpty) await this.#parking.settled();
      else if (this.#mailbox.hasParked) await this.#mailbox.noneParked();
      else return;
    }
  }

  /** How many commands wait. */
  get waiting(): number {
    return this.#mailbox.size;
  }

  /**
   * Carries out a command; resolves after its commit.
   * @throws HatchetError for a refusal, PAYLOAD_TOO_LARGE, NOT_OWNER when no owner was found in time, or too much waits already
   */
  submit<K extends CommandKind>(tenantId: string, command: CommandByKind[K] & { kind: K }): Promise<ReplyByKind[K]> {
    return this.submitTo<K>(shardOf(tenantId), command, tenantId);
  }

  /** @param tenantId whose it is; none for what the engine itself sends to the shard */
  submitTo<K extends CommandKind>(
    shard: number,
    command: CommandByKind[K] & { kind: K },
    tenantId?: string,
  ): Promise<ReplyByKind[K]> {
    if (this.#stopping) return Promise.reject(stopping());
    const payloads = new JobPayloads(command);
    return new Promise<ReplyByKind[K]>((resolve, reject) => {
      const free = this.#room.enter(isTimes(command.kind) ? 0 : this.#mailbox.size, payloads.size);
      const leave = (): void => (free(), this.#staging.release(payloads.staged));
      const job: Job = {
        shard,
        tenantId,
        command,
        payloads,
        rows: kindOf<K>(command).weight(command),
        queuedAtMs: this.#awakeMs(),
        mayBeDone: false,
        facts: noFacts,
        longLogs: [],
        run: (plan, facts) => {
          const reply = planCommand<K>(plan, command, facts);
          return () => {
            leave();
            resolve(reply);
          };
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      if (isTimes(command.kind)) this.#mailbox.addFirst(job);
      else this.#mailbox.add(job);
      this.#wake();
    });
  }

  /** Commits what waits, gives the shards back and disconnects. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#ticks.stop();
    this.#mailbox.refuseParked(stopping());
    await Promise.all([this.cel.stop(), this.payloads.stop()]);
    this.#staging.stop();
    await this.#pumping;
    await this.#parking.settled();
    await this.#ownership.stopAcquiring();
    while (this.#connection.lane !== undefined && this.#mailbox.has((job) => this.#isReady(job)))
      await this.#runBatch(this.#take());
    await this.#ownership.giveBack();
    await this.#connection.close();
    this.#mailbox.refuseAll(new HatchetError('STOPPING', 'the engine stopped before it could carry this out'));
    await Promise.all([this.#staging.close(), this.#logs.close()]);
  }

  /** When a shard is next to be looked at for what time alone changes. */
  nextDueUs(state: ShardState): number {
    return this.#ticks.nextUs(state);
  }

  /** Looks again at timers that could not be fired, or whose time has been moved. */
  wakeForTimers(): void {
    this.#ticks.fire();
  }

  #wake(): void {
    if (this.#pumping !== undefined || this.#stopping) return;
    // The next turn of the loop: whatever arrived in this one joins the transaction.
    this.#pumping = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#pump())
      .catch((error: unknown) => this.#log.error({ err: error }, 'the owner stopped unexpectedly and starts again'))
      .finally(() => {
        this.#pumping = undefined;
        if (this.#mailbox.has((job) => this.#isReady(job))) this.#wake();
      });
  }

  async #pump(): Promise<void> {
    if (this.#connection.lane === undefined) await this.#reconnect([]);
    this.#mailbox.expire();
    while (!this.#stopping) {
      const jobs = this.#take();
      if (jobs.length === 0) break;
      await this.#runBatch(jobs);
      this.#ticks.fire();
      // Calls that arrived meanwhile are read first, and join the next transaction.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#ticks.arm();
  }

  #served(shards: readonly ServedShard[]): void {
    const states = shards.map(({ state }) => state);
    for (const { lastBatch } of states) this.#batch = Math.max(this.#batch, lastBatch);
    this.#mailbox.served(states.map((state) => state.id));
    const open = shards.flatMap((shard) => shard.open);
    this.#tell(() => this.#events.recovered(open, states));
    // Also where nothing waits: the timers of what is served are set after it.
    this.#wake();
  }

  #lost(states: readonly ShardState[]): void {
    this.#mailbox.park();
    this.#ticks.lost(states);
    this.#tell(() => this.#events.lost(states));
  }

  /** What a listener throws is no concern of the shards, of other listeners or of callers. */
  #tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#log.error({ err: error }, 'a part of the engine could not take in what has happened: this is a bug');
    }
  }

  /** Its shard is served, and none that it must not overtake is away. */
  #isReady(job: Job): boolean {
    return this.#ownership.stateOf(job.shard) !== undefined && !this.#parking.blocks(job);
  }

  /** Back from what it was away for: next in line. */
  #unpark(job: Job): boolean {
    if (this.#stopping) job.reject(stopping());
    else this.#mailbox.putBack([{ ...job, queuedAtMs: this.#awakeMs() }]);
    this.#wake();
    return !this.#stopping;
  }

  #take(): Job[] {
    const jobs = this.#mailbox.take((job) => this.#isReady(job));
    const { ready, behind } = this.#stopping ? { ready: jobs, behind: [] } : this.#parking.admitToLoad(jobs);
    this.#mailbox.putBack(behind);
    return ready;
  }

  async #runBatch(taken: readonly Job[]): Promise<void> {
    const { lane } = this.#connection;
    if (lane === undefined) {
      this.#mailbox.putBack(taken);
      return this.#reconnect([]);
    }
    const states = new Map(taken.map(({ shard }) => [shard, this.#ownership.stateOf(shard)]));
    const loading = this.#onlyServed(taken, states);
    try {
      const facts = await loadFacts(
        {
          client: lane.client,
          stateOf: (shard) => this.#ownership.stateOf(shard),
          clock: this.#clock,
          longLogs: this.#logs,
        },
        loading,
      );
      for (const job of loading) job.facts = facts.get(job) ?? noFacts;
    } catch (error) {
      this.#log.warn({ err: error }, 'what commands need could not be loaded');
      // With Postgres there, trying the same again would fail again.
      if (!(error instanceof DatabaseError && isPassing(error.code ?? '')) && (await lane.isAlive()))
        return this.#bisect(loading, error);
      this.#mailbox.putBack(loading);
      return this.#reconnect([]);
    }
    const { ready, behind } = this.#parking.admitToPlan(this.#onlyServed(loading, states));
    this.#mailbox.putBack(behind);
    if (ready.length > 0) await this.#planAndCommit(lane, ready);
  }

  /** A shard may be lost, or recovered anew, while something is awaited: its jobs go back, and what was loaded for them is void. */
  #onlyServed(jobs: readonly Job[], states: ReadonlyMap<number, ShardState | undefined>): readonly Job[] {
    const isServed = ({ shard }: Job): boolean => {
      const state = this.#ownership.stateOf(shard);
      return state !== undefined && state === states.get(shard);
    };
    if (jobs.every(isServed)) return jobs;
    this.#mailbox.putBack(jobs.filter((job) => !isServed(job)));
    return jobs.filter(isServed);
  }

  async #planAndCommit(lane: Lane, jobs: readonly Job[]): Promise<void> {
    let batch: PlannedBatch;
    try {
      batch = planBatch(jobs, (shard) => this.#ownership.stateOf(shard), this.#clock, this.#log);
    } catch (error) {
      return this.#planFailed(jobs, error);
    }
    this.#mailbox.putBack(batch.again);
    if (batch.changes.isEmpty) return this.#release(batch);
    const number = ++this.#batch;
    try {
      await lane.commit(shardSteps(batch.plans.keys()), number, batch.changes, stagedOf(batch.jobs));
    } catch (error) {
      return this.#commitFailed(batch, number, error);
    }
    for (const state of batch.plans.keys()) state.lastBatch = number;
    this.#ownership.worked(batch.plans.keys());
    this.#trouble.over();
    this.#release(batch);
  }

  /** It is stored: nothing that fails from here on takes anything back, or keeps the rest from being said. */
  #release(batch: PlannedBatch): void {
    const broken: { shard: number; error: unknown }[] = [];
    for (const state of batch.plans.keys()) {
      try {
        settleRows(state);
      } catch (error) {
        broken.push({ shard: state.id, error });
      }
    }
    const { effects, history, durableEntries, durableResults } = batch.changes;
    this.#tell(() => this.#events.committed(effects, history, [...durableEntries, ...durableResults]));
    for (const { answer } of batch.outcomes) this.#tell(answer);
    for (const { shard, error } of broken) void this.#ownership.fail(shard, error);
  }

  /** Planning itself threw: nothing is stored. All of it is taken back; what throws alone fails, and its shard is recovered anew. */
  async #planFailed(jobs: readonly Job[], error: unknown): Promise<void> {
    for (const shard of new Set(jobs.map((job) => job.shard))) {
      try {
        this.#ownership.stateOf(shard)?.undo.rollback();
      } catch (failure) {
        void this.#ownership.fail(shard, failure);
      }
    }
    const [only] = jobs;
    if (jobs.length > 1 || only === undefined) return this.#bisect(jobs, error);
    only.reject(planFailure(error, only.command.kind));
    void this.#ownership.fail(only.shard, error);
  }

  async #commitFailed(batch: PlannedBatch, number: number, error: unknown): Promise<void> {
    if (error instanceof BatchRefused) {
      this.#takeBack(batch);
      if (error.notOwner) return this.#findLost(batch);
      if (error.stagedLost) for (const { payloads } of batch.jobs) payloads.unstage();
      if (error.stagedLost || isPassing(error.sqlstate)) {
        this.#trouble.refused(error, error.sqlstate);
        this.#mailbox.putBack(batch.jobs);
        await delay(200);
        return this.#mailbox.expire();
      }
      return this.#bisect(batch.jobs, error);
    }
    if (!(error instanceof BatchUnknown)) this.#log.error({ err: error }, 'an unexpected error of the commit lane');
    return this.#reconnect([{ batch, number }]);
  }

  /** As if it had never been planned. A shard of which that fails is recovered anew. */
  #takeBack(batch: PlannedBatch): void {
    try {
      rollbackBatch(batch);
    } catch (error) {
      for (const { id } of batch.plans.keys()) void this.#ownership.fail(id, error);
    }
  }

  /** A transaction with a poison command: halves, until it stands alone and fails alone. */
  async #bisect(jobs: readonly Job[], error: unknown): Promise<void> {
    const [only] = jobs;
    if (jobs.length > 1) {
      const half = Math.ceil(jobs.length / 2);
      await this.#runBatch(jobs.slice(0, half));
      return this.#runSecond(jobs.slice(half), new Set(jobs.slice(0, half)));
    }
    countRefusal(error);
    this.#log.warn({ err: error, command: only?.command.kind }, 'a command could not be carried out');
    only?.reject(commandFailure(error, only.command.kind));
  }

  /** Of the second half, what must not overtake a command of the first that was put back goes back behind it. */
  async #runSecond(jobs: readonly Job[], first: ReadonlySet<Job>): Promise<void> {
    const waiting = this.#mailbox.takeOut(first);
    const tasks = new Set(waiting.flatMap(({ command }) => ('taskId' in command ? [command.taskId] : [])));
    const isBehind = ({ command }: Job): boolean => 'taskId' in command && tasks.has(command.taskId);
    this.#mailbox.putBack([...waiting, ...jobs.filter(isBehind)]);
    await this.#runBatch(jobs.filter((job) => !isBehind(job)));
  }

  /** Some shard of a transaction has another owner: which ones? Their commands wait for their next owner, the others' go on. */
  async #findLost(batch: PlannedBatch): Promise<void> {
    const { lane } = this.#connection;
    const states = [...batch.plans.keys()];
    try {
      if (lane === undefined) throw new Error('there is no connection to Postgres');
      const stored = await readOwnedShards(
        lane.client,
        this.#ownership.id,
        states.map((state) => state.id),
      );
      const epochs = new Map(stored.map((shard) => [shard.id, shard.epoch]));
      const lost = new Set(states.filter((state) => epochs.get(state.id) !== state.epoch).map((state) => state.id));
      this.#ownership.lose(lost);
      if (lost.size === 0) {
        // All are ours, and yet one has another last transaction than memory knows of.
        for (const job of batch.jobs) job.mayBeDone = true;
        for (const { id } of states) void this.#ownership.fail(id, new Error('memory is behind what is stored'));
      }
      this.#mailbox.putBack(batch.jobs);
    } catch (error) {
      this.#log.warn({ err: error }, 'which shards were lost could not be found out; trying again');
      this.#mailbox.putBack(batch.jobs);
      await this.#reconnect([]);
    }
  }

  /** A new connection, and the truth about what was in flight on the old one. */
  async #reconnect(open: readonly { batch: PlannedBatch; number: number }[]): Promise<void> {
    this.#connection.drop();
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1000)) {
      try {
        const states = [...this.#ownership.states()];
        const shards = await this.#connection.reconnect(states.map((state) => state.id));
        const stored = new Map(shards.map((shard) => [shard.id, shard]));
        for (const state of states) {
          const shard = stored.get(state.id);
          if (shard !== undefined) Object.assign(state, { epoch: shard.epoch, lastBatch: shard.lastBatch });
        }
        for (const each of open) this.#settle(each, new Map(shards.map((shard) => [shard.id, shard.lastBatch])));
        this.#ownership.lose(states.filter((state) => !stored.has(state.id)).map((state) => state.id));
        return this.#trouble.over();
      } catch (error) {
        if (this.#stopping) return this.#abandon(open);
        this.#trouble.lost(error, 'Postgres cannot be reached; trying again');
        if (open.length === 0) this.#mailbox.expire();
        await delay(pauseMs);
      }
    }
  }

  /** @param stored the last transaction of each shard that is still this owner's */
  #settle({ batch, number }: { batch: PlannedBatch; number: number }, stored: ReadonlyMap<number, number>): void {
    const known = [...batch.plans.keys()].flatMap((state) => stored.get(state.id) ?? []);
    // It is stored whole or not at all: one of its shards tells it of all.
    const happened = known.includes(number);
    this.#log.warn({ batch: number, happened }, 'the fate of a transaction in flight was found out');
    if (happened) return this.#release(batch);
    this.#takeBack(batch);
    if (known.length === 0) for (const job of batch.jobs) job.mayBeDone = true;
    this.#mailbox.putBack(batch.jobs);
  }

  #abandon(open: readonly { batch: PlannedBatch }[]): void {
    for (const { batch } of open) {
      this.#takeBack(batch);
      for (const job of batch.jobs)
        job.reject(
          new HatchetError(
            'STOPPING',
            'the engine stopped while Postgres was away; whether this was stored is not known',
          ),
        );
    }
  }
}

function stopping(): HatchetError {
  return new HatchetError('STOPPING', 'the engine is stopping', { remedy: 'Try again once it is back.' });
}
