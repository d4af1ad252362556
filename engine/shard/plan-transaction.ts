import type { Clock } from '../base/clock.ts';
import { HatchetError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { ShardStep } from '../model/stored-rows.ts';
import { settle } from '../plan/settle/settle-tenants.ts';
import type { SettleBudget } from '../plan/state/settle-budget.ts';
import { ChangeSet } from '../plan/state/change-set.ts';
import { joinStarts } from '../plan/state/join-starts.ts';
import { collectLive } from '../plan/state/live-rows.ts';
import type { Plan } from '../plan/state/plan.ts';
import { NotEvaluated } from '../plan/conditions/evaluate-condition.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import { noFacts } from '../plan/commands/loaded-facts.ts';
import type { LoadedFacts } from './facts/load-facts.ts';
import type { Job } from './job.ts';
import { tellQueuedByRuns } from '../plan/state/queued-by-runs.ts';

export interface Outcome {
  job: Job;
  /** Answers the caller, with the reply or with a refusal: after the commit, since either may rest on what the transaction did. */
  answer: () => void;
}

export interface PlannedTransaction {
  /** Those that were planned, or refused. */
  jobs: readonly Job[];
  /** Those that need an expression which became known only with this transaction: to be loaded and planned again. */
  again: readonly Job[];
  outcomes: Outcome[];
  changes: ChangeSet;
  plans: ReadonlyMap<ShardState, Plan>;
}

/**
 * Runs the commands, with what was loaded for them, against memory. What a refused command had done by then is taken back at once.
 * @param unsettled shards that may have to go on with what the last transactions had no room for
 */
export function planTransaction(
  loaded: readonly Job[],
  facts: LoadedFacts,
  {
    stateOf,
    clock,
    log,
    budget,
    unsettled = [],
  }: {
    stateOf: (shard: number) => ShardState | undefined;
    clock: Clock;
    log: Logger;
    /** What it may settle. */
    budget: SettleBudget;
    unsettled?: readonly ShardState[];
  },
): PlannedTransaction {
  const clockUs = clock.nowUs();
  const standstillUs = clock.standstillUs?.() ?? 0;
  const changes = new ChangeSet();
  const plans = new Map<ShardState, Plan>();
  const outcomes: Outcome[] = [];
  const jobs: Job[] = [];
  const again: Job[] = [];
  const marks: number[] = [];
  for (const job of loaded) {
    const state = stateOf(job.shard);
    if (state === undefined) throw new Error(`shard ${job.shard} is not owned: the job should have waited`);
    let plan = plans.get(state);
    if (plan === undefined) {
      state.countStandstill(standstillUs);
      plan = { state, nowUs: clockUs, changes };
      plans.set(state, plan);
    }
    const undoMark = state.undo.mark();
    const changeMark = changes.mark(marks);
    try {
      outcomes.push({ job, answer: job.run(plan, facts.get(job) ?? noFacts) });
      jobs.push(job);
    } catch (error) {
      state.undo.rollback(undoMark);
      changes.truncate(changeMark);
      if (error instanceof NotEvaluated) {
        again.push(job);
        continue;
      }
      jobs.push(job);
      const refused = refusal(error, job, log);
      outcomes.push({ job, answer: () => job.reject(refused) });
    }
  }
  for (const state of unsettled) {
    if (plans.has(state)) continue;
    state.countStandstill(standstillUs);
    plans.set(state, { state, nowUs: clockUs, changes });
  }
  settle(plans.values(), budget);
  for (const plan of plans.values()) collectLive(plan);
  joinStarts(changes.history);
  tellQueuedByRuns(changes);
  return { jobs, again, outcomes, changes, plans };
}

/** As if the transaction, the last one that was planned, had never been. */
export function rollbackTransaction(transaction: PlannedTransaction): void {
  for (const state of transaction.plans.keys()) state.undo.rollback();
}

/** It is being committed: what is planned from here on can be taken back without it. */
export function sealTransaction(transaction: PlannedTransaction): void {
  for (const state of transaction.plans.keys()) state.undo.seal();
}

/** As if the sealed transaction, and what was planned after it, had never been. */
export function rollbackSealed(transaction: PlannedTransaction): void {
  for (const state of transaction.plans.keys()) state.undo.rollbackSealed();
}

/** The sealed transaction is stored. */
export function forgetSealed(transaction: PlannedTransaction): void {
  for (const state of transaction.plans.keys()) state.undo.forgetSealed();
}

export function shardSteps(states: Iterable<ShardState>): ShardStep[] {
  return [...states]
    .map((state) => ({
      id: state.id,
      epoch: state.epoch,
      lastTransaction: state.lastTransaction,
      seq: state.seq,
      lostUs: state.lostUs,
    }))
    .sort((a, b) => a.id - b.id);
}

function refusal(error: unknown, job: Job, log: Logger): Error {
  if (error instanceof HatchetError) return error;
  log.error({ err: error, command: job.command.kind }, 'a command could not be planned: this is a bug');
  return new HatchetError('COMMAND_FAILED', `the engine could not carry out ${job.command.kind}`, {
    cause: error,
    remedy: 'This is a fault of the engine; its log has the details.',
  });
}
