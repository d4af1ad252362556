import { LiveFlag, LiveState } from '../../model/live-state.ts';
import { outranks, type Claim, type ConcurrencyGroup } from './concurrency-group.ts';
import { hasFlag, setFlag, type Plan } from '../state/plan.ts';
import { enqueue } from '../queue/enqueue.ts';
import type { TaskExtras } from '../state/task-extras.ts';

/** A claim that a strategy gives up, with the group that decided it. */
export interface Doomed {
  claim: Claim;
  group: ConcurrencyGroup;
}

/**
 * A ready task asks for its places. The whole chain is judged in one pass: first whether a cancelling strategy turns the
 * task away, only then whom it pushes out, then whether every group has a place. It gets all of its places or none.
 * @returns the claims to cancel: its own, or those that it pushes out
 */
export function admitArrival(plan: Plan, row: number, rank: number): Doomed[] {
  const { state } = plan;
  const extras = state.extras.get(row);
  if (extras === undefined) {
    enqueue(plan, row, rank);
    return [];
  }
  const fresh = openClaims(extras).filter((claim) => !claim.arrived);
  const { refused, pushedOut } = judgeCancelling(fresh);
  if (refused !== undefined) return [refused];
  for (const claim of fresh) arrive(plan, claim);
  if (tryAdmit(plan, row, rank, { behindOthers: true })) return pushedOut;
  return [...pushedOut, ...judgeQueued(openClaims(extras))];
}

function openClaims(extras: TaskExtras): Claim[] {
  return [extras.runClaim, extras.taskClaim].filter((claim) => claim !== null).filter((claim) => !claim.held);
}

function judgeCancelling(claims: readonly Claim[]): { refused: Doomed | undefined; pushedOut: Doomed[] } {
  const pushedOut: Doomed[] = [];
  for (const claim of claims) {
    for (const group of claim.groups) {
      // No place at all is a hold, not a verdict.
      if (group.maxRuns === 0 || group.members.size < group.maxRuns) continue;
      if (group.strategy === 'CANCEL_NEWEST') return { refused: { claim, group }, pushedOut: [] };
      if (group.strategy !== 'CANCEL_IN_PROGRESS') continue;
      const losers = [...group.members, claim].sort((a, b) => (outranks(a, b) ? -1 : 1)).slice(group.maxRuns);
      if (losers.includes(claim)) return { refused: { claim, group }, pushedOut: [] };
      pushedOut.push(...losers.map((loser) => ({ claim: loser, group })));
    }
  }
  return { refused: undefined, pushedOut };
}

/** The strategies that let one of those that wait stay. */
function judgeQueued(claims: readonly Claim[]): Doomed[] {
  const doomed: Doomed[] = [];
  for (const claim of claims) {
    for (const group of claim.groups) {
      const newest = group.strategy === 'CANCEL_QUEUED_EXCEPT_NEWEST';
      if (group.maxRuns === 0 || (!newest && group.strategy !== 'CANCEL_QUEUED_EXCEPT_OLDEST')) continue;
      const waiting = [...group.members].filter((member) => !member.held).sort((a, b) => a.order - b.order);
      const stays = newest ? waiting.at(-1) : waiting[0];
      doomed.push(...waiting.filter((member) => member !== stays).map((loser) => ({ claim: loser, group })));
    }
  }
  return doomed;
}

function arrive(plan: Plan, claim: Claim): void {
  claim.arrived = true;
  for (const group of claim.groups) group.members.add(claim);
  plan.state.undo.record(() => {
    claim.arrived = false;
    for (const group of claim.groups) group.members.delete(claim);
  });
}

/** Takes all places, or stands in line with the first group that has none. An arrival stands behind those that wait. */
function tryAdmit(plan: Plan, row: number, rank: number, options: { behindOthers: boolean }): boolean {
  const { state } = plan;
  const extras = state.extras.get(row);
  const claims = extras === undefined ? [] : openClaims(extras);
  for (const claim of claims) {
    for (const group of claim.groups) {
      if (!group.isFull && !(options.behindOthers && group.waiting.length > 0)) continue;
      group.waiting.insert(row, rank, state.undo);
      return false;
    }
  }
  for (const claim of claims) hold(plan, claim);
  setFlag(plan, row, LiveFlag.Admitted);
  enqueue(plan, row, rank);
  for (const claim of claims) if (claim.level === 'run') admitSiblings(plan, claim);
  return true;
}

function hold(plan: Plan, claim: Claim): void {
  claim.held = true;
  for (const group of claim.groups) group.held++;
  plan.state.undo.record(() => {
    claim.held = false;
    for (const group of claim.groups) group.held--;
  });
  if (claim.level === 'run') for (const row of claim.rows) setFlag(plan, row, LiveFlag.RunAdmitted);
}

/** Tasks of the run that waited for the same places need them no more. */
function admitSiblings(plan: Plan, claim: Claim): void {
  const { tasks, lists, undo } = plan.state;
  for (const row of claim.rows) {
    if (tasks.state[row] !== LiveState.Ready || hasFlag(plan, row, LiveFlag.Admitted) || tasks.rank[row] === 255)
      continue;
    const rank = tasks.rank[row] ?? 0;
    lists.leave(row, undo);
    tryAdmit(plan, row, rank, { behindOthers: false });
  }
}

/** Admits those that wait while the group has room: best priority first, then the oldest. */
export function wakeGroup(plan: Plan, group: ConcurrencyGroup): void {
  const { tasks, undo } = plan.state;
  for (let row = group.waiting.head; row >= 0 && !group.isFull; row = group.waiting.head) {
    const rank = tasks.rank[row] ?? 0;
    group.waiting.remove(row, undo);
    tryAdmit(plan, row, rank, { behindOthers: false });
  }
}

/** Gives a claim's places back, and its membership. It can arrive again: after a back-off. */
export function releaseClaim(plan: Plan, claim: Claim | null): void {
  if (claim === null || !claim.arrived) return;
  const { state } = plan;
  const { held } = claim;
  claim.arrived = false;
  claim.held = false;
  for (const group of claim.groups) {
    group.members.delete(claim);
    if (held) group.held--;
    state.freed.add(group);
  }
  state.undo.record(() => {
    claim.arrived = true;
    claim.held = held;
    for (const group of claim.groups) {
      group.members.add(claim);
      if (held) group.held++;
    }
  });
}
