import type { ClientConfig } from 'pg';
import { CelEvaluator } from '../cel/cel-evaluator.ts';
import { logAndGoOn } from '../base/log-and-go-on.ts';
import type { Clock } from '../base/clock.ts';
import { StagedPayloads } from '../commit/staged-payloads.ts';
import { HatchetError } from '../base/errors.ts';
import { delay, processHost, turn, type Host } from '../base/host.ts';
import type { Logger } from '../base/log.ts';
import { movedAway } from '../base/not-owner.ts';
import { TenantTurns } from '../base/tenant-turns.ts';
import { shardCount, shardOf } from '../model/ids/shard-of.ts';
import type { Peer, ReplicaAddress } from '../model/replica.ts';
import { PayloadReader } from '../payloads/payload-reader.ts';
import { postgresConnector, type Connector } from '../postgres/sql-client.ts';
import {
  type CommandByKind,
  type CommandKind,
  type ReplyByKind,
  type TenantCommandKind,
} from '../plan/commands/command.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import type { WakingLimits } from '../plan/state/waking-limits.ts';
import { partlyDone } from './command-failure.ts';
import { partsOf } from './command-parts.ts';
import { CommitCycle } from './commit-cycle.ts';
import type { CommitMeter } from './commit-meter.ts';
import { LongLogs } from './facts/long-durable-logs.ts';
import { jobOf, type Job } from './job.ts';
import { JobPayloads } from './job-payloads.ts';
import { LaneConnection } from './lane-connection.ts';
import { Mailbox } from './mailbox.ts';
import { MailboxRoom } from './mailbox-room.ts';
import type { OwnerEvents } from './owner-events.ts';
import { Ownership } from './ownership/ownership.ts';
import type { ServedShard } from './recovery/recover-acquired.ts';
import { JobsInPreparation } from './jobs-in-preparation.ts';
import { PostgresTroubleLog } from './postgres-trouble-log.ts';
import { ServiceWaiters } from './service-waiters.ts';
import { isTimes, Ticks } from './ticks.ts';
import { WakingTurns } from './waking-turns.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** What is on its way to workers is waited for before a shard goes to another engine, but not for longer. */
const longestDispatchMs = 2_000;
/** Between two looks whether all shards are with others. */
const withdrawLookMs = 20;
/**
 * From about so many rows on that wait, a transaction is planned beside the one that is being committed. With fewer, whatever
 * comes until that is stored joins them: a small transaction costs nearly as much as a large one.
 */
const planAheadFrom = 128;
const shardIds = Array.from({ length: shardCount }, (_, shard) => shard);

/**
 * Owns shards: their commands go one after the other through memory and one transaction, and only then are callers
 * answered. What gathers while a transaction runs is the next one.
 */
export class Owner {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #trouble: PostgresTroubleLog;
  readonly #events: OwnerEvents;
  readonly #ticks: Ticks;
  readonly #wakings: WakingTurns;
  readonly #ownership: Ownership;
  readonly #connection: LaneConnection;
  /** For whoever prepares commands; `cel` also for what a plan asks. */
  readonly cel = new CelEvaluator();
  readonly payloads = new PayloadReader();
  /** For long work on the event loop that comes with calls. */
  readonly turns: TenantTurns<TenantId>;
  readonly #staging: StagedPayloads;
  readonly #logs: LongLogs;
  readonly #away: JobsInPreparation;
  readonly #awakeMs: () => number;
  readonly #host: Host;
  readonly #mailbox: Mailbox;
  readonly #takesShards: boolean;
  readonly #room = new MailboxRoom();
  readonly #waiters: ServiceWaiters;
  readonly #cycle: CommitCycle;
  /** Shards of which nothing is under way any more: they go to other engines before the next transaction. */
  readonly #handOvers: number[] = [];
  readonly #planAheadFrom: number;
  /** Called once a transaction may be planned beside the one that is being committed. */
  #goAhead: (() => void) | undefined;
  #between: (() => void)[] = [];
  #pumping: Promise<void> | undefined;
  #stopping = false;

  constructor(options: {
    config: ClientConfig;
    clock: Clock;
    log: Logger;
    events: OwnerEvents;
    workerTimeoutMs?: number;
    wakingLimits?: WakingLimits | undefined;
    /** See `Ownership`. */
    takesShards?: boolean | undefined;
    /** A clock that stands still while this process does: commands wait by it. */
    awakeMs?: () => number;
    /** See `planAheadFrom`. */
    planAheadFrom?: number | undefined;
    meter?: CommitMeter | undefined;
    host?: Host;
    connector?: Connector;
  }) {
    this.#planAheadFrom = options.planAheadFrom ?? planAheadFrom;
    const { host = processHost, connector = postgresConnector } = options;
    this.#host = host;
    this.#takesShards = options.takesShards ?? true;
    this.turns = new TenantTurns(host);
    this.#awakeMs = options.awakeMs ?? (() => host.monotonicMs());
    this.#mailbox = new Mailbox(
      {
        isServed: (shard) => this.#ownership.stateOf(shard) !== undefined,
        isElsewhere: (shard) => this.#ownership.peerOf(shard) !== undefined,
      },
      this.#awakeMs,
      host,
    );
    this.#waiters = new ServiceWaiters(host);
    this.#clock = options.clock;
    this.#log = options.log;
    this.#trouble = new PostgresTroubleLog(this.#log);
    this.#events = options.events;
    this.#ownership = new Ownership({
      config: options.config,
      clock: options.clock,
      log: options.log,
      graceMs: options.workerTimeoutMs ?? 0,
      wakingLimits: options.wakingLimits,
      takesShards: options.takesShards,
      events: {
        served: (shards) => this.#served(shards),
        lost: (states) => this.#lost(states),
        moved: (shards) => this.#moved(shards),
        leaving: (shards) => void this.#leave(shards),
      },
      host,
      connector,
    });
    this.#connection = new LaneConnection({
      config: options.config,
      owner: this.#ownership.id,
      onLost: (error) => {
        this.#trouble.lost(error, 'the connection to Postgres was lost');
        options.meter?.lost();
        this.#wake();
      },
      connector,
    });
    this.#staging = new StagedPayloads(options.config, options.log, { host, connector });
    this.#logs = new LongLogs(options.config, options.log, { host, connector });
    this.#away = new JobsInPreparation({ cel: this.cel, payloads: this.#staging, logs: this.#logs, host }, (job) =>
      this.#back(job),
    );
    this.#cycle = new CommitCycle({
      connection: this.#connection,
      ownership: this.#ownership,
      mailbox: this.#mailbox,
      away: this.#away,
      longLogs: this.#logs,
      clock: options.clock,
      host,
      log: options.log,
      trouble: this.#trouble,
      meter: options.meter,
      committed: (effects, history, rest) => options.events.committed(effects, history, rest),
      isStopping: () => this.#stopping,
      wake: () => this.#wake(),
    });
    this.#ticks = new Ticks({
      clock: options.clock,
      log: options.log,
      states: () => this.#ownership.states(),
      submit: (shard, command) =>
        command.kind === 'tick' ? this.submitTo(shard, command) : this.submitTo(shard, command),
      isShared: () => this.#mailbox.isShared,
      timersDue: (state, nowUs) => logAndGoOn(this.#log, () => options.events.timersDue(state, nowUs)),
      host,
    });
    this.#wakings = new WakingTurns({
      log: options.log,
      states: () => this.#ownership.states(),
      submit: (shard, command) => this.submitTo(shard, command),
      isShared: () => this.#mailbox.isShared,
      host,
    });
  }

  /**
   * Connects, takes over what is free, and resolves once that is served. Each shard is served as soon as it is recovered; shards
   * of a living owner are taken when that one goes.
   */
  async start(): Promise<void> {
    if (this.#takesShards) await this.#connection.connect();
    await this.#ownership.start();
  }

  /** The memory of a tenant's shard, where this process serves it. Read-only for callers. */
  stateOf(tenantId: TenantId): ShardState | undefined {
    return this.#ownership.stateOf(shardOf(tenantId));
  }

  /** As `stateOf`, as soon as this process serves the shard. @throws HatchetError NOT_OWNER after 30 s, STOPPING */
  async served(tenantId: TenantId): Promise<ShardState> {
    const state = this.stateOf(tenantId);
    if (state !== undefined) return state;
    if (this.#stopping) throw stopping();
    if (this.peerOf(tenantId) !== undefined) throw movedAway();
    return this.#waiters.wait(shardOf(tenantId));
  }

  /** The engine that has a tenant's shard, where that is another one: its calls go there. */
  peerOf(tenantId: TenantId): Peer | undefined {
    return this.#ownership.peerOf(shardOf(tenantId));
  }

  /** All other engines on this database that take calls. */
  get peers(): readonly Peer[] {
    return this.#ownership.peers;
  }

  /** Other engines pass calls on to there, and this one has its part of the shards from now on. */
  async takeCallsAt(address: ReplicaAddress): Promise<void> {
    await this.#ownership.takeCallsAt(address);
  }

  /** Looks now whether shards have changed hands. */
  lookAround(): Promise<void> {
    return this.#ownership.lookAround();
  }

  /** Gives all shards to the other engines. Resolves once those take the calls for all of them, or after `longestMs`. */
  async withdraw(longestMs: number): Promise<void> {
    await this.#ownership.withdraw();
    const end = this.#host.monotonicMs() + longestMs;
    const isOver = (): boolean =>
      this.#ownership.peers.length === 0 || shardIds.every((shard) => this.#ownership.peerOf(shard) !== undefined);
    while (!isOver() && this.#host.monotonicMs() < end) await delay(this.#host, withdrawLookMs);
  }

  /** Since the lease of its shards was last renewed. */
  get leaseAgeMs(): number {
    return this.#ownership.leaseAgeMs;
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
      else if (!this.#away.isEmpty) await this.#away.settled();
      else if (this.#mailbox.hasParked) await this.#mailbox.noneParked();
      else if (this.#wakings.pausing !== undefined) {
        await this.#wakings.pausing;
        await turn(this.#host); // in which the next page is sent
      } else return;
    }
  }

  /** How many commands wait. */
  get waiting(): number {
    return this.#mailbox.size;
  }

  /**
   * Carries out a command; resolves after its commit. One that brings more than a transaction has room for beside others is
   * stored in several, in its order.
   * @throws HatchetError for a refusal, PAYLOAD_TOO_LARGE, NOT_OWNER when no owner was found in time, or too much waits already
   */
  submit<K extends TenantCommandKind>(command: CommandByKind[K] & { kind: K }): Promise<ReplyByKind[K]> {
    const shard = shardOf(command.tenantId);
    const parts = partsOf<K>(command);
    if (parts === undefined) return this.submitTo<K>(shard, command);
    return this.#carryOutParts<K>(shard, parts.commands).then((replies) => parts.join(replies));
  }

  /** For what the engine itself sends to a shard, of a tenant's or of none. */
  submitTo<K extends CommandKind>(shard: number, command: CommandByKind[K] & { kind: K }): Promise<ReplyByKind[K]> {
    if (this.#stopping) return Promise.reject(stopping());
    const payloads = new JobPayloads(command);
    try {
      this.#room.enter(isOwn(command.kind) ? 0 : this.#mailbox.size, payloads.size);
      return this.#queue<K>({ shard, command, payloads }, payloads.size);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** There is room for all of them, or none is carried out. */
  async #carryOutParts<K extends CommandKind>(
    shard: number,
    commands: readonly (CommandByKind[K] & { kind: K })[],
  ): Promise<ReplyByKind[K][]> {
    if (this.#stopping) throw stopping();
    const parts = commands.map((command) => ({ command, payloads: new JobPayloads(command) }));
    const chars = parts.reduce((sum, { payloads }) => sum + payloads.size, 0);
    this.#room.enter(this.#mailbox.size, chars);
    const answers = await Promise.allSettled(parts.map(async (part) => this.#queue<K>({ shard, ...part }, 0)));
    this.#room.leave(chars);
    const replies = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const failed = answers.find((answer) => answer.status === 'rejected');
    if (failed !== undefined) throw partlyDone(failed.reason, { done: replies.length, of: parts.length });
    return replies;
  }

  /** @param chars of its room, left once it is answered */
  #queue<K extends CommandKind>(
    given: {
      shard: number;
      command: CommandByKind[K] & { kind: K };
      payloads: JobPayloads;
    },
    chars: number,
  ): Promise<ReplyByKind[K]> {
    const { command } = given;
    return new Promise((resolve, reject) => {
      const job = jobOf<K>(given, {
        queuedAtMs: this.#awakeMs(),
        answer: (reply) => {
          this.#makeRoom(given.payloads, chars);
          resolve(reply);
        },
        reject: (error) => {
          this.#makeRoom(given.payloads, chars);
          reject(error);
        },
      });
      if (isTimes(command.kind)) this.#mailbox.addFirst(job);
      else this.#mailbox.add(job);
      if (this.#goAhead !== undefined && this.#plansAhead) this.#goAhead();
      this.#wake();
    });
  }

  #makeRoom(payloads: JobPayloads, chars: number): void {
    this.#room.leave(chars);
    this.#staging.release(payloads.staged);
  }

  /** Commits what waits, gives the shards back and disconnects. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#ticks.stop();
    this.#wakings.stop();
    this.#cycle.stop();
    this.#mailbox.refuseParked(stopping());
    this.#waiters.refuse(stopping());
    await Promise.all([this.cel.stop(), this.payloads.stop()]);
    this.#staging.stop();
    await this.#pumping;
    await this.#away.settled();
    await this.#ownership.stopAcquiring();
    while (this.#connection.lane !== undefined && this.#mailbox.has((job) => this.#isReady(job)))
      await this.#cycle.run(this.#take());
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
    this.#pumping = turn(this.#host)
      .then(() => this.#pump())
      .catch((error: unknown) => this.#log.error({ err: error }, 'the owner stopped unexpectedly and starts again'))
      .finally(() => {
        this.#pumping = undefined;
        this.#tellBetween();
        const hasMore = this.#cycle.hasMore || this.#mailbox.has((job) => this.#isReady(job));
        if (hasMore || this.#handOvers.length > 0) this.#wake();
      });
  }

  async #pump(): Promise<void> {
    await this.#cycle.land();
    if (this.#connection.lane === undefined) await this.#cycle.reconnect();
    this.#mailbox.expire();
    while (!this.#stopping) {
      const { underWay } = this.#cycle;
      if (underWay === undefined) {
        this.#tellBetween();
        if (this.#handOvers.length > 0) await this.#ownership.handOver(this.#handOvers.splice(0));
      } else if (!this.#plansAhead) {
        await Promise.race([underWay, new Promise<void>((resolve) => (this.#goAhead = resolve))]);
        this.#goAhead = undefined;
      }
      if (underWay !== undefined && !this.#plansAhead) await this.#cycle.land();
      else {
        const jobs = this.#take();
        if (jobs.length > 0 || this.#cycle.hasMore) await this.#cycle.begin(jobs);
        else if (underWay === undefined) break;
        else await this.#cycle.land();
      }
      this.#ticks.fire();
      this.#wakings.fire();
      // Calls that arrived meanwhile are read first, and join the next transaction.
      await turn(this.#host);
    }
    await this.#cycle.land();
    this.#ticks.arm();
  }

  /**
   * Whether the next transaction is planned while one is being committed: enough waits for it, none but one tenant's start would
   * wait for both, and no shard is about to go.
   */
  get #plansAhead(): boolean {
    return (
      this.#cycle.hasRoomAhead &&
      (this.#mailbox.rows >= this.#planAheadFrom || this.#cycle.hasMore) &&
      this.#handOvers.length + this.#between.length === 0 &&
      !this.#mailbox.isShared
    );
  }

  #served(shards: readonly ServedShard[]): void {
    const states = shards.map(({ state }) => state);
    this.#cycle.follow(states);
    this.#mailbox.served(states.map((state) => state.id));
    const open = shards.flatMap((shard) => shard.open);
    logAndGoOn(this.#log, () => this.#events.recovered(open, states));
    this.#waiters.served(states);
    this.#ticks.arm();
    this.#wakings.fire();
    this.#wake();
  }

  #lost(states: readonly ShardState[]): void {
    this.#mailbox.park();
    this.#ticks.lost(states);
    logAndGoOn(this.#log, () => this.#events.lost(states));
  }

  #moved(shards: readonly number[]): void {
    this.#mailbox.refuseMoved();
    this.#waiters.refuseOf(shards, movedAway());
    logAndGoOn(this.#log, () => this.#events.moved(shards));
  }

  /** Nothing more of these is planned; once all that was planned is out, they are handed over. */
  async #leave(shards: readonly number[]): Promise<void> {
    await this.#betweenTransactions();
    await Promise.race([this.#events.dispatched(shards).catch(() => undefined), delay(this.#host, longestDispatchMs)]);
    this.#handOvers.push(...shards);
    this.#wake();
  }

  /** Resolves once what is planned and committed at present is out. Under load the pump has no end to wait for. */
  async #betweenTransactions(): Promise<void> {
    if (this.#pumping !== undefined) await new Promise<void>((resolve) => this.#between.push(resolve));
  }

  #tellBetween(): void {
    for (const tell of this.#between.splice(0)) tell();
  }

  /** Its shard is served and stays, and none that it must not overtake is away. */
  #isReady(job: Job): boolean {
    const { shard } = job;
    return this.#ownership.stateOf(shard) !== undefined && !this.#ownership.isLeaving(shard) && !this.#away.blocks(job);
  }

  /** Back from what it was away for: next in line. */
  #back(job: Job): boolean {
    if (this.#stopping) job.reject(stopping());
    else this.#mailbox.putBack([{ ...job, queuedAtMs: this.#awakeMs() }]);
    this.#wake();
    return !this.#stopping;
  }

  #take(): Job[] {
    const jobs = this.#mailbox.take((job) => this.#isReady(job));
    const { ready, behind } = this.#stopping ? { ready: jobs, behind: [] } : this.#away.admitToLoad(jobs);
    this.#mailbox.putBack(behind);
    return ready;
  }
}

/** The engine's own commands are few, and find room however many wait. */
function isOwn(kind: CommandKind): boolean {
  return isTimes(kind) || kind === 'wakeByEvent';
}

function stopping(): HatchetError {
  return new HatchetError('STOPPING', 'the engine is stopping', { remedy: 'Try again once it is back.' });
}
