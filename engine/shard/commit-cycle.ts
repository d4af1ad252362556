import { DatabaseError } from 'pg';
import { logAndGoOn, logAndGoOnEach } from '../base/log-and-go-on.ts';
import type { Clock } from '../base/clock.ts';
import { HatchetError } from '../base/errors.ts';
import { delay, type Host, type HostTimer } from '../base/host.ts';
import type { Logger } from '../base/log.ts';
import { TransactionRefused, TransactionUnknown, type Lane } from '../commit/lane.ts';
import { settleRows } from '../plan/state/live-rows.ts';
import { SettleBudget } from '../plan/state/settle-budget.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import { commandFailure, countRefusal, planFailure } from './command-failure.ts';
import { loadFacts, type LoadedFacts } from './facts/load-facts.ts';
import type { LongLogs } from './facts/long-durable-logs.ts';
import { WakingEvents } from './facts/waking-events.ts';
import { runHalves } from './halve-refused.ts';
import { isPassingError } from './is-passing-error.ts';
import type { CommitMeter } from './commit-meter.ts';
import type { Job } from './job.ts';
import { stagedOf } from './job-payloads.ts';
import type { LaneConnection } from './lane-connection.ts';
import type { Mailbox } from './mailbox.ts';
import type { OwnerEvents } from './owner-events.ts';
import { readOwnedShards } from './ownership/owned-shards.ts';
import type { Ownership } from './ownership/ownership.ts';
import type { JobsInPreparation } from './jobs-in-preparation.ts';
import {
  forgetSealed,
  planTransaction,
  rollbackSealed,
  rollbackTransaction,
  sealTransaction,
  shardSteps,
  type PlannedTransaction,
} from './plan-transaction.ts';
import type { Sql } from '../postgres/sql-client.ts';
import type { PostgresTroubleLog } from './postgres-trouble-log.ts';

/** Until what settling left is tried again after Postgres refused it. */
const goOnMs = 1_000;
/**
 * Transactions that are planned beside another in a row. Memory is tidied between two of which neither is under way: rows of tasks
 * that ended are kept until then.
 */
const mostAhead = 16;

export interface CommitCycleParts {
  readonly connection: LaneConnection;
  readonly ownership: Ownership;
  readonly mailbox: Mailbox;
  readonly away: JobsInPreparation;
  readonly longLogs: LongLogs;
  readonly clock: Clock;
  readonly host: Host;
  readonly log: Logger;
  readonly trouble: PostgresTroubleLog;
  readonly meter: CommitMeter | undefined;
  readonly committed: OwnerEvents['committed'];
  readonly isStopping: () => boolean;
  /** There is something to do, though no command has come. */
  readonly wake: () => void;
}

interface BrokenShard {
  readonly shard: number;
  readonly error: unknown;
}

/** A transaction that is being committed. */
interface UnderWay {
  readonly transaction: PlannedTransaction;
  readonly number: number;
  /** Undefined once it is stored. It never rejects. */
  readonly failure: Promise<{ readonly error: unknown } | undefined>;
}

/**
 * One transaction after the other: what commands need is loaded, they are planned, what follows is committed, and only then is
 * anything let out. While one is committed the next may be planned, on what memory will hold then; it is sent once the one before
 * is stored, and taken back with it where that fails (docs/adr/0062-planned-beside-a-commit.md).
 */
export class CommitCycle {
  readonly #parts: CommitCycleParts;
  readonly #wakingEvents = new WakingEvents();
  /** Of the last transaction, of whatever shards. */
  #number = 0;
  /** What no command asked for was refused: until then it is tried with the next command alone. */
  #goOn: HostTimer | undefined;
  #underWay: UnderWay | undefined;
  /** How many in a row were planned beside another. */
  #ahead = 0;
  /** Shards with rows of tasks that have ended. */
  readonly #untidy = new Set<ShardState>();

  constructor(parts: CommitCycleParts) {
    this.#parts = parts;
  }

  /** Shards that are served from now on: the next number is above theirs. */
  follow(states: readonly ShardState[]): void {
    for (const { lastTransaction } of states) this.#number = Math.max(this.#number, lastTransaction);
  }

  /** Whether a transaction has something to do without any command: what the last ones had no room for. */
  get hasMore(): boolean {
    return this.#goOn === undefined && this.#unsettled().length > 0;
  }

  /** Ends no transaction. */
  stop(): void {
    this.#goOn?.clear();
  }

  #unsettled(): ShardState[] {
    const states: ShardState[] = [];
    for (const state of this.#parts.ownership.states())
      if (state.hasMore && !this.#parts.ownership.isLeaving(state.id)) states.push(state);
    return states;
  }

  /** Of the transaction that is being committed: resolves once its fate is known, or the connection is lost. */
  get underWay(): Promise<unknown> | undefined {
    return this.#underWay?.failure;
  }

  /** Whether another transaction may be planned beside the one that is being committed. */
  get hasRoomAhead(): boolean {
    return this.#ahead < mostAhead && this.#parts.connection.lane !== undefined;
  }

  /** As `begin`, and commits them. */
  async run(taken: readonly Job[]): Promise<void> {
    await this.begin(taken);
    await this.land();
  }

  /** Waits for the transaction that is being committed, and lets out what follows; carried out again or refused where it failed. */
  async land(): Promise<void> {
    const before = this.#underWay;
    if (before === undefined) return;
    const failure = await before.failure;
    this.#underWay = undefined;
    if (failure !== undefined) return this.#commitFailed(before.transaction, before.number, failure.error);
    this.#stored(before);
    this.#release(before.transaction);
  }

  /**
   * Loads and plans commands that were taken from the mailbox, and begins to commit them once the transaction before is stored;
   * what cannot be done now is back in the mailbox.
   */
  async begin(taken: readonly Job[]): Promise<void> {
    if (this.#underWay === undefined) {
      this.#ahead = 0;
      this.#fail(this.#tidy());
    }
    const { lane } = this.#parts.connection;
    if (lane === undefined) {
      this.#parts.mailbox.putBack(taken);
      return this.#underWay === undefined ? this.reconnect() : this.land();
    }
    const states = new Map(taken.map(({ shard }) => [shard, this.#parts.ownership.stateOf(shard)]));
    const loading = this.#onlyServed(taken, states);
    let facts: LoadedFacts;
    try {
      facts = await loadFacts(
        {
          client: this.#underWay === undefined ? lane.client : this.#afterStored(lane.client),
          stateOf: (shard) => this.#parts.ownership.stateOf(shard),
          clock: this.#parts.clock,
          longLogs: this.#parts.longLogs,
          wakingEvents: this.#wakingEvents,
        },
        loading,
      );
    } catch (error) {
      if (this.#underWay !== undefined) {
        this.#parts.mailbox.putBack(loading);
        return this.land();
      }
      this.#parts.log.warn({ err: error }, 'what commands need could not be loaded');
      // With Postgres there, trying the same again would fail again.
      if (!(error instanceof DatabaseError && isPassingError(error.code ?? '')) && (await lane.isAlive()))
        return this.#bisect(loading, error);
      this.#parts.mailbox.putBack(loading);
      return this.reconnect();
    }
    const { ready, behind } = this.#parts.away.admitToPlan(this.#onlyServed(loading, states));
    this.#parts.mailbox.putBack(behind);
    if (ready.length > 0 || this.hasMore) await this.#planAndCommit(lane, ready, facts);
  }

  /** Reads see what memory holds: the transaction that is being committed is stored first. */
  #afterStored(client: Sql): Sql {
    let stored: Promise<boolean> | undefined;
    return {
      query: async (query, values) => {
        stored ??= this.#waitUntilStored();
        if (!(await stored)) throw new Error('the transaction before was not stored');
        return client.query(query, values);
      },
    };
  }

  /** Lets out what follows from the transaction that is being committed. @returns false where it failed: it is under way still, for `land` */
  async #waitUntilStored(): Promise<boolean> {
    const before = this.#underWay;
    if (before === undefined) return true;
    if ((await before.failure) !== undefined) return false;
    this.#underWay = undefined;
    this.#ahead++;
    this.#stored(before);
    // Not tidied: it may be that what is being loaded goes by logs that memory has.
    this.#letOut(before.transaction);
    return true;
  }

  /** A shard may be lost, or recovered anew, while something is awaited: its jobs go back, and what was loaded for them is void. */
  #onlyServed(jobs: readonly Job[], states: ReadonlyMap<number, ShardState | undefined>): readonly Job[] {
    const isServed = ({ shard }: Job): boolean => {
      const state = this.#parts.ownership.stateOf(shard);
      return state !== undefined && state === states.get(shard);
    };
    if (jobs.every(isServed)) return jobs;
    this.#parts.mailbox.putBack(jobs.filter((job) => !isServed(job)));
    return jobs.filter(isServed);
  }

  async #planAndCommit(lane: Lane, jobs: readonly Job[], facts: LoadedFacts): Promise<void> {
    const unsettled = this.#goOn === undefined ? this.#unsettled() : [];
    for (const state of unsettled)
      for (const { tenantId } of state.unsettled.turns) this.#parts.mailbox.noteWork(tenantId);
    const before = this.#underWay;
    let transaction: PlannedTransaction;
    try {
      transaction = planTransaction(jobs, facts, {
        stateOf: (shard) => this.#parts.ownership.stateOf(shard),
        clock: this.#parts.clock,
        log: this.#parts.log,
        budget: SettleBudget.forTransaction({ isShared: this.#parts.mailbox.isShared }),
        unsettled,
      });
    } catch (error) {
      return this.#planFailed(jobs, unsettled, error);
    }
    this.#parts.mailbox.putBack(transaction.again);
    if (before !== undefined) {
      const failure = await before.failure;
      if (failure !== undefined || !this.#isCurrent(transaction)) {
        this.#takeBack(transaction, rollbackTransaction);
        this.#parts.mailbox.putBack(transaction.jobs);
        return this.land();
      }
      this.#underWay = undefined;
      this.#ahead++;
      this.#stored(before);
    }
    const { isEmpty } = transaction.changes;
    if (!isEmpty) this.#send(lane, transaction);
    if (before !== undefined) this.#letOut(before.transaction);
    if (isEmpty) this.#release(transaction);
  }

  /** Its shards are served from the memory in which it was planned. */
  #isCurrent({ plans }: PlannedTransaction): boolean {
    for (const state of plans.keys()) if (this.#parts.ownership.stateOf(state.id) !== state) return false;
    return true;
  }

  #send(lane: Lane, transaction: PlannedTransaction): void {
    const { plans, changes, jobs } = transaction;
    const number = ++this.#number;
    sealTransaction(transaction);
    const sentAtMs = this.#parts.host.monotonicMs();
    const failure = lane.commit(shardSteps(plans.keys()), number, changes, stagedOf(jobs)).then(
      () => this.#measure(transaction, sentAtMs),
      (error: unknown) => ({ error }),
    );
    this.#underWay = { transaction, number, failure };
  }

  #measure({ changes, jobs }: PlannedTransaction, sentAtMs: number): undefined {
    const { meter, host } = this.#parts;
    if (meter?.isOn === true)
      meter.stored({ ms: host.monotonicMs() - sentAtMs, commands: jobs.length, rows: changes.rowCount });
  }

  /** Nothing takes it back any more. */
  #stored({ transaction, number }: UnderWay): void {
    forgetSealed(transaction);
    for (const state of transaction.plans.keys()) state.lastTransaction = number;
    this.#parts.ownership.worked(transaction.plans.keys());
    this.#parts.trouble.over();
  }

  /** As `letOut`, with none under way: memory is tidied. */
  #release(transaction: PlannedTransaction): void {
    for (const state of transaction.plans.keys()) this.#untidy.add(state);
    const broken = this.#tidy();
    this.#letOut(transaction);
    this.#untidy.clear();
    this.#fail(broken);
  }

  #fail(broken: readonly BrokenShard[]): void {
    for (const { shard, error } of broken) void this.#parts.ownership.fail(shard, error);
  }

  /** @returns the shards whose memory is not as it must be */
  #tidy(): BrokenShard[] {
    const broken: BrokenShard[] = [];
    for (const state of this.#untidy) {
      try {
        settleRows(state);
      } catch (error) {
        broken.push({ shard: state.id, error });
      }
    }
    this.#untidy.clear();
    return broken;
  }

  /** It is stored: nothing that fails from here on takes anything back, or keeps the rest from being said. */
  #letOut(transaction: PlannedTransaction): void {
    for (const state of transaction.plans.keys()) this.#untidy.add(state);
    const { effects, history, results, durableEntries, durableResults } = transaction.changes;
    const nodes = [...durableEntries, ...durableResults];
    logAndGoOn(this.#parts.log, () => this.#parts.committed(effects, history, { nodes, results }));
    logAndGoOnEach(this.#parts.log, transaction.outcomes, ({ answer }) => answer());
  }

  /** Planning itself threw: nothing is stored. All of it is taken back; what throws alone fails, and its shard is recovered anew. */
  async #planFailed(jobs: readonly Job[], unsettled: readonly ShardState[], error: unknown): Promise<void> {
    for (const shard of new Set([...jobs.map((job) => job.shard), ...unsettled.map((state) => state.id)])) {
      try {
        this.#parts.ownership.stateOf(shard)?.undo.rollback();
      } catch (failure) {
        void this.#parts.ownership.fail(shard, failure);
      }
    }
    if (this.#underWay !== undefined) {
      // It is planned again by itself.
      this.#parts.mailbox.putBack(jobs);
      return this.land();
    }
    const [only] = jobs;
    if (only === undefined) {
      for (const { id } of unsettled) void this.#parts.ownership.fail(id, error);
      return;
    }
    if (jobs.length > 1) return this.#bisect(jobs, error);
    only.reject(planFailure(error, only.command.kind));
    void this.#parts.ownership.fail(only.shard, error);
  }

  async #commitFailed(transaction: PlannedTransaction, number: number, error: unknown): Promise<void> {
    if (error instanceof TransactionRefused) {
      this.#parts.meter?.refused();
      this.#takeBack(transaction, rollbackSealed);
      if (error.notOwner) return this.#findLost(transaction);
      if (error.stagedLost) for (const { payloads } of transaction.jobs) payloads.unstage();
      if (error.stagedLost || isPassingError(error.sqlstate)) {
        this.#parts.trouble.refused(error, error.sqlstate);
        this.#parts.mailbox.putBack(transaction.jobs);
        await delay(this.#parts.host, 200);
        return this.#parts.mailbox.expire();
      }
      return this.#bisect(transaction.jobs, error);
    }
    if (!(error instanceof TransactionUnknown))
      this.#parts.log.error({ err: error }, 'an unexpected error of the commit lane');
    return this.reconnect([{ transaction, number }]);
  }

  /** As if it had never been planned. A shard of which that fails is recovered anew. */
  #takeBack(transaction: PlannedTransaction, rollback: (transaction: PlannedTransaction) => void): void {
    try {
      rollback(transaction);
    } catch (error) {
      for (const { id } of transaction.plans.keys()) void this.#parts.ownership.fail(id, error);
    }
  }

  /** A transaction with a poison command: halves, until it stands alone and fails alone. */
  async #bisect(jobs: readonly Job[], error: unknown): Promise<void> {
    const [only] = jobs;
    if (jobs.length > 1) {
      const { mailbox } = this.#parts;
      return runHalves(jobs, { mailbox, run: (half) => this.run(half) });
    }
    if (this.#goOn === undefined && this.#unsettled().length > 0) {
      // What went on beside it may be the guilty one.
      this.#goOnLater();
      return only === undefined ? undefined : this.run(jobs);
    }
    countRefusal(error);
    this.#parts.log.warn({ err: error, command: only?.command.kind }, 'a command could not be carried out');
    only?.reject(commandFailure(error, only.command.kind));
  }

  #goOnLater(): void {
    this.#goOn?.clear();
    this.#goOn = this.#parts.host.setTimeout(() => {
      this.#goOn = undefined;
      this.#parts.wake();
    }, goOnMs);
  }

  /** Some shard of a transaction has another owner: which ones? Their commands wait for their next owner, the others' go on. */
  async #findLost(transaction: PlannedTransaction): Promise<void> {
    const { lane } = this.#parts.connection;
    const states = [...transaction.plans.keys()];
    try {
      if (lane === undefined) throw new Error('there is no connection to Postgres');
      const stored = await readOwnedShards(
        lane.client,
        this.#parts.ownership.id,
        states.map((state) => state.id),
      );
      const epochs = new Map(stored.map((shard) => [shard.id, shard.epoch]));
      const lost = states.filter((state) => epochs.get(state.id) !== state.epoch);
      this.#parts.ownership.loseStates(lost);
      if (lost.length === 0) {
        // All are ours, and yet one has another last transaction than memory knows of.
        for (const job of transaction.jobs) noteUnknownFate(job);
        for (const { id } of states) void this.#parts.ownership.fail(id, new Error('memory is behind what is stored'));
      }
      this.#parts.mailbox.putBack(transaction.jobs);
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'which shards were lost could not be found out; trying again');
      this.#parts.mailbox.putBack(transaction.jobs);
      await this.reconnect();
    }
  }

  /** A new connection, and the truth about what was in flight on the old one. */
  async reconnect(open: readonly { transaction: PlannedTransaction; number: number }[] = []): Promise<void> {
    this.#parts.connection.drop();
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1000)) {
      try {
        const states = [...this.#parts.ownership.states()];
        const shards = await this.#parts.connection.reconnect(states);
        const stored = new Map(shards.map((shard) => [shard.id, shard]));
        const lost = states.filter((state) => {
          const { epoch, lastTransaction } = stored.get(state.id) ?? {};
          if (epoch !== undefined) Object.assign(state, { epoch, lastTransaction });
          return epoch === undefined;
        });
        for (const each of open) this.#settle(each, stored);
        this.#parts.ownership.loseStates(lost);
        this.#parts.meter?.reconnected();
        return this.#parts.trouble.over();
      } catch (error) {
        if (this.#parts.isStopping()) return this.#abandon(open);
        this.#parts.trouble.lost(error, 'Postgres cannot be reached; trying again');
        if (open.length === 0) this.#parts.mailbox.expire();
        await delay(this.#parts.host, pauseMs);
      }
    }
  }

  /**
   * A number tells only where the shard has been this owner's from the plan on: another owner counts on from the same number. Of a
   * shard that was acquired anew nothing is known, though it is this owner's again.
   * @param stored the shards that are still this owner's
   */
  #settle(
    { transaction, number }: { transaction: PlannedTransaction; number: number },
    stored: ReadonlyMap<number, { readonly epoch: number | undefined; readonly lastTransaction: number }>,
  ): void {
    const known = [...transaction.plans.keys()].flatMap((state) => {
      const shard = this.#parts.ownership.stateOf(state.id) === state ? stored.get(state.id) : undefined;
      return shard?.epoch === undefined ? [] : [shard.lastTransaction];
    });
    // It is stored whole or not at all: one of its shards tells it of all.
    const happened = known.includes(number);
    this.#parts.log.warn({ transaction: number, happened }, 'the fate of a transaction in flight was found out');
    if (happened) {
      forgetSealed(transaction);
      return this.#release(transaction);
    }
    this.#takeBack(transaction, rollbackSealed);
    if (known.length === 0) for (const job of transaction.jobs) noteUnknownFate(job);
    this.#parts.mailbox.putBack(transaction.jobs);
  }

  #abandon(open: readonly { transaction: PlannedTransaction }[]): void {
    for (const { transaction } of open) {
      this.#takeBack(transaction, rollbackSealed);
      for (const job of transaction.jobs)
        job.reject(
          new HatchetError(
            'STOPPING',
            'the engine stopped while Postgres was away; whether this was stored is not known',
          ),
        );
    }
  }
}

/** It may be stored: whoever plans it again looks first. */
function noteUnknownFate(job: Job): void {
  job.mayBeDone = true;
  job.isFateUnknown = true;
}
