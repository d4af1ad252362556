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
import type { Job } from './job.ts';
import { stagedOf } from './job-payloads.ts';
import type { LaneConnection } from './lane-connection.ts';
import type { Mailbox } from './mailbox.ts';
import type { OwnerEvents } from './owner-events.ts';
import { readOwnedShards } from './ownership/owned-shards.ts';
import type { Ownership } from './ownership/ownership.ts';
import type { JobsInPreparation } from './jobs-in-preparation.ts';
import { planTransaction, rollbackTransaction, shardSteps, type PlannedTransaction } from './plan-transaction.ts';
import type { PostgresTroubleLog } from './postgres-trouble-log.ts';

/** Until what settling left is tried again after Postgres refused it. */
const goOnMs = 1_000;

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
  readonly committed: OwnerEvents['committed'];
  readonly isStopping: () => boolean;
  /** There is something to do, though no command has come. */
  readonly wake: () => void;
}

/**
 * One transaction after the other: what commands need is loaded, they are planned, what follows is committed, and only then is
 * anything let out. Whatever fails on the way takes the transaction back whole.
 */
export class CommitCycle {
  readonly #parts: CommitCycleParts;
  readonly #wakingEvents = new WakingEvents();
  /** Of the last transaction, of whatever shards. */
  #number = 0;
  /** What no command asked for was refused: until then it is tried with the next command alone. */
  #goOn: HostTimer | undefined;

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

  /** Loads, plans and commits commands that were taken from the mailbox; what cannot be done now is back in it. */
  async run(taken: readonly Job[]): Promise<void> {
    const { lane } = this.#parts.connection;
    if (lane === undefined) {
      this.#parts.mailbox.putBack(taken);
      return this.reconnect();
    }
    const states = new Map(taken.map(({ shard }) => [shard, this.#parts.ownership.stateOf(shard)]));
    const loading = this.#onlyServed(taken, states);
    let facts: LoadedFacts;
    try {
      facts = await loadFacts(
        {
          client: lane.client,
          stateOf: (shard) => this.#parts.ownership.stateOf(shard),
          clock: this.#parts.clock,
          longLogs: this.#parts.longLogs,
          wakingEvents: this.#wakingEvents,
        },
        loading,
      );
    } catch (error) {
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
    if (transaction.changes.isEmpty) return this.#release(transaction);
    const number = ++this.#number;
    try {
      await lane.commit(shardSteps(transaction.plans.keys()), number, transaction.changes, stagedOf(transaction.jobs));
    } catch (error) {
      return this.#commitFailed(transaction, number, error);
    }
    for (const state of transaction.plans.keys()) state.lastTransaction = number;
    this.#parts.ownership.worked(transaction.plans.keys());
    this.#parts.trouble.over();
    this.#release(transaction);
  }

  /** It is stored: nothing that fails from here on takes anything back, or keeps the rest from being said. */
  #release(transaction: PlannedTransaction): void {
    const broken: { shard: number; error: unknown }[] = [];
    for (const state of transaction.plans.keys()) {
      try {
        settleRows(state);
      } catch (error) {
        broken.push({ shard: state.id, error });
      }
    }
    const { effects, history, durableEntries, durableResults } = transaction.changes;
    logAndGoOn(this.#parts.log, () => this.#parts.committed(effects, history, [...durableEntries, ...durableResults]));
    logAndGoOnEach(this.#parts.log, transaction.outcomes, ({ answer }) => answer());
    for (const { shard, error } of broken) void this.#parts.ownership.fail(shard, error);
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
      this.#takeBack(transaction);
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
  #takeBack(transaction: PlannedTransaction): void {
    try {
      rollbackTransaction(transaction);
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
    if (happened) return this.#release(transaction);
    this.#takeBack(transaction);
    if (known.length === 0) for (const job of transaction.jobs) noteUnknownFate(job);
    this.#parts.mailbox.putBack(transaction.jobs);
  }

  #abandon(open: readonly { transaction: PlannedTransaction }[]): void {
    for (const { transaction } of open) {
      this.#takeBack(transaction);
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
