import { setTimeout as delay } from 'node:timers/promises';
import { HatchetError } from '../base/errors.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import type { Owner } from '../shard/owner.ts';
import { Slice } from '../base/yield-in-slices.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** Ids, tasks or commands of one slice: other tenants' commands get their turn in between. */
const most = 500;
/** What a pass ended may be gone with the next one only, as a task whose worker is told of its end. */
const passes = 20;
const pauseMs = 100;

type Commands = Pick<Owner, 'submit' | 'stateOf'>;

/**
 * Ends what a shard's memory holds of a tenant: nothing new begins, then timers and filters go, then unfinished runs are
 * cancelled, then their workers are forgotten, so that tasks which ran there end without them.
 * @returns whether nothing is left; not where the shard is not owned any more
 */
export async function emptyMemory(owner: Commands, tenantId: TenantId, signal: AbortSignal): Promise<boolean> {
  for (let pass = 0; pass < passes && !signal.aborted; pass++) {
    const state = owner.stateOf(tenantId);
    if (state === undefined) return false;
    // In every pass: the shard may have been lost and taken over again.
    await owner.submit({ kind: 'closeTenant', tenantId });
    if (owner.stateOf(tenantId) !== state) continue;
    if ((await endAll(owner, state, { tenantId, signal })) === 0 && owner.stateOf(tenantId) === state)
      return !signal.aborted;
    await delay(pauseMs);
  }
  return false;
}

/** @returns how much there was */
async function endAll(
  owner: Commands,
  state: ShardState,
  options: { tenantId: TenantId; signal: AbortSignal },
): Promise<number> {
  const { tenantId } = options;
  const isOwn = (item: { tenantId: TenantId }): boolean => item.tenantId === tenantId;
  let found = 0;
  found += await slices(timersOf(state.crons, isOwn), options, (ids) =>
    owner.submit({ kind: 'deleteTimers', tenantId, timers: 'cron', ids }),
  );
  found += await slices(timersOf(state.schedules, isOwn), options, (ids) =>
    owner.submit({ kind: 'deleteTimers', tenantId, timers: 'schedule', ids }),
  );
  found += await slices(filtersOf(state, isOwn), options, (ids) =>
    together(ids.map((filterId) => owner.submit({ kind: 'deleteFilter', tenantId, filterId }))),
  );
  found += await slices(runsOf(state, tenantId), options, (ids) =>
    owner.submit({ kind: 'cancel', tenantId, ids: [...new Set(ids)] }),
  );
  found += await slices(workersOf(state, isOwn), options, (ids) =>
    together(
      ids.flatMap((workerId) => [
        owner.submit({ kind: 'unsubscribe', tenantId, workerId }),
        owner.submit({ kind: 'workerLost', tenantId, workerId, forget: true }),
      ]),
    ),
  );
  // Tasks that wait for one would bring it back: they are gone by now.
  found += await slices(rateLimitsOf(state, isOwn), options, (keys) =>
    together(keys.map((key) => owner.submit({ kind: 'deleteRateLimit', tenantId, key }))),
  );
  // They are dropped by themselves once the tenant is closed.
  found += state.wakings.count(tenantId);
  return found;
}

/** An id with the number of rows that its end may write; undefined for what is another tenant's. */
type Found = { id: string; weight: number } | undefined;

/** Walks over memory while it changes: what is passed over by that is found in the next pass. */
async function slices(
  items: Iterable<Found>,
  { signal }: { signal: AbortSignal },
  end: (ids: string[]) => Promise<unknown>,
): Promise<number> {
  const slice = new Slice();
  let count = 0;
  let weight = 0;
  let ids: string[] = [];
  for (const item of items) {
    if (signal.aborted) break;
    if (item === undefined) {
      await slice.pause();
      continue;
    }
    count++;
    weight += item.weight;
    ids.push(item.id);
    if (weight < most) continue;
    await end(ids);
    ids = [];
    weight = 0;
  }
  if (ids.length > 0 && !signal.aborted) await end(ids);
  return count;
}

/** What is gone already, by a call that came just before, is as good as ended. */
async function together(commands: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(commands)) {
    if (result.status === 'fulfilled') continue;
    const error: unknown = result.reason;
    if (!(error instanceof HatchetError) || (error.code !== 'UNKNOWN_FILTER' && error.code !== 'UNKNOWN_WORKER'))
      throw error;
  }
}

function* timersOf(
  timers: ReadonlyMap<string, { id: string; tenantId: TenantId }>,
  isOwn: (item: { tenantId: TenantId }) => boolean,
): Generator<Found> {
  for (const timer of timers.values()) yield isOwn(timer) ? { id: timer.id, weight: 1 } : undefined;
}

function* filtersOf(state: ShardState, isOwn: (item: { tenantId: TenantId }) => boolean): Generator<Found> {
  for (const filters of state.filters.values())
    for (const filter of filters.values()) yield isOwn(filter) ? { id: filter.id, weight: 1 } : undefined;
}

function* workersOf(state: ShardState, isOwn: (item: { tenantId: TenantId }) => boolean): Generator<Found> {
  // A worker's tasks end with it.
  for (const worker of state.workersById.values())
    yield isOwn(worker) ? { id: worker.id, weight: 1 + worker.tasks.size } : undefined;
}

function* rateLimitsOf(state: ShardState, isOwn: (item: { tenantId: TenantId }) => boolean): Generator<Found> {
  for (const limit of state.rateLimits.values())
    yield isOwn(limit) && limit.exists ? { id: limit.key, weight: 1 } : undefined;
}

/** The runs of unfinished tasks, each as often as it has such. Tasks that have ended, and whose worker has still to be told, count too. */
function* runsOf(state: ShardState, tenantId: TenantId): Generator<Found> {
  for (const row of state.tasks.rows())
    yield state.stepOf(row).version.tenantId === tenantId ? { id: state.runIdOf(row), weight: 1 } : undefined;
}
