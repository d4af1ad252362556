import type { Sql } from '../../postgres/sql-client.ts';
import type { Clock } from '../../base/clock.ts';
import { kindOf } from '../../plan/commands/command.ts';
import { noFacts, type Facts, type StoredBranches } from '../../plan/commands/loaded-facts.ts';
import type { ShardState } from '../../plan/state/shard-state.ts';
import type { Job } from '../job.ts';
import type { Asking } from './command-needs.ts';
import { branchesOf } from './branches-of.ts';
import { loadDeliveries } from './load-deliveries.ts';
import { loadEnds } from './load-ends.ts';
import { loadExpressions } from './load-expressions.ts';
import { loadKeyClaims } from './load-key-claims.ts';
import { eventWaitersFor, loadEventWaiters, type LoadedEventWaiters } from './load-event-waiters.ts';
import { loadLogs } from './load-durable-logs.ts';
import { loadStoredIds } from './load-stored-ids.ts';
import { loadStoredRuns } from './load-stored-runs.ts';
import type { LongLogs } from './long-durable-logs.ts';
import { lookBack } from './look-back.ts';
import type { WakingEvents } from './waking-events.ts';

export interface LoadSources {
  client: Sql;
  stateOf: (shard: number) => ShardState | undefined;
  clock: Clock;
  longLogs: LongLogs;
  wakingEvents: WakingEvents;
}

/** By job; those that needed nothing are absent. */
export type LoadedFacts = ReadonlyMap<Job, Facts>;

/**
 * What planning needs and memory does not hold. Read on the lane's own connection, after the transaction before and before
 * the plan, so that nothing can change in between. Logs of durable tasks and claims of keys go to the shard's memory; the
 * rest is returned. A job whose expressions or long logs are not complete after it is not to be planned.
 */
export async function loadFacts(sources: LoadSources, jobs: readonly Job[]): Promise<LoadedFacts> {
  const nowUs = sources.clock.nowUs();
  const asking: Asking[] = [];
  for (const job of jobs) {
    const state = sources.stateOf(job.shard);
    if (state === undefined) continue;
    asking.push({
      job,
      state,
      needs: kindOf(job.command).needs(job.command, { state, nowUs, isUncertain: job.mayBeDone }),
    });
  }
  const { client } = sources;
  // What rests on nothing else is asked for together: a round trip each would keep the lane as many times as long.
  const [durable, { ends, ids }, lookedBack, again, , deliveredAs, existing] = await allOrFirstError([
    loadDurable(sources, asking),
    loadEnds(client, asking),
    lookBack(sources, asking),
    loadStoredRuns(client, asking),
    loadKeyClaims(client, asking),
    loadDeliveries(client, asking),
    loadStoredIds(client, asking),
  ]);
  const { listeners, branches, evaluated } = durable;
  const storedIds = new Set([...ids, ...existing]);
  const facts = new Map<Job, Facts>();
  for (const each of asking) {
    const { job } = each;
    const runs = again.get(each);
    const some: Facts = {
      isUncertain: job.mayBeDone,
      storedIds,
      ends,
      deliveredAs,
      wakeLater: listeners.wakeLater,
      wakingPage: listeners.pages.get(each),
      lookedBack: lookedBack.get(each) ?? noFacts.lookedBack,
      storedRuns: runs?.storedRuns ?? noFacts.storedRuns,
      deferredIds: runs?.deferredIds ?? noFacts.deferredIds,
      branches: branches.get(each),
      evaluated: evaluated.get(each) ?? noFacts.evaluated,
    };
    if (isAny(some)) facts.set(job, some);
  }
  return facts;
}

/** What concerns logs of durable tasks and those who wait for events: each part rests on the one before. */
async function loadDurable(
  { client, longLogs, wakingEvents }: LoadSources,
  asking: readonly Asking[],
): Promise<{
  listeners: LoadedEventWaiters;
  branches: ReadonlyMap<Asking, StoredBranches>;
  evaluated: ReturnType<typeof loadExpressions>;
}> {
  const listeners = await loadEventWaiters(client, asking, wakingEvents);
  const logs = await loadLogs(client, longLogs, asking, listeners.tasks);
  const evaluated = loadExpressions(asking, (each) => eventWaitersFor(listeners, each));
  return { listeners, branches: branchesOf(asking, logs), evaluated };
}

/** All have ended by then: none writes to memory after another has failed. */
async function allOrFirstError<const Loads extends readonly Promise<unknown>[]>(
  loads: Loads,
): Promise<{ -readonly [At in keyof Loads]: Awaited<Loads[At]> }> {
  await Promise.allSettled(loads);
  return Promise.all(loads);
}

function isAny(facts: Facts): boolean {
  const {
    isUncertain,
    storedIds,
    ends,
    deliveredAs,
    lookedBack,
    wakeLater,
    wakingPage,
    storedRuns,
    deferredIds,
    branches,
    evaluated,
  } = facts;
  return (
    isUncertain ||
    branches !== undefined ||
    wakingPage !== undefined ||
    wakeLater.size + storedIds.size + ends.size + deliveredAs.size + lookedBack.size + evaluated.size > 0 ||
    storedRuns.length + deferredIds.length > 0
  );
}
