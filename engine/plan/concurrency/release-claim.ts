import type { Plan } from '../state/plan.ts';
import type { Claim } from './concurrency-group.ts';

/** Gives a claim's places back, and its membership. It can arrive again: after a back-off. */
export function releaseClaim(plan: Plan, claim: Claim | null): void {
  if (claim === null || !claim.arrived) return;
  const { state } = plan;
  const { held } = claim;
  claim.arrived = false;
  claim.held = false;
  for (const group of claim.groups) {
    group.leave(claim, held);
    state.noteFreed(group);
  }
  state.undo.record(() => {
    claim.arrived = true;
    claim.held = held;
    for (const group of claim.groups) group.join(claim);
  });
}
