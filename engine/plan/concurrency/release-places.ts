import type { Plan } from '../state/plan.ts';
import type { Restore } from '../state/undo-log.ts';
import type { PlaceRequest } from './concurrency-group.ts';

/** Gives a request's places back, and its membership. It can arrive again: after a back-off. */
export function releasePlaces(plan: Plan, request: PlaceRequest | null): void {
  if (request === null || !request.arrived) return;
  const { state } = plan;
  const { held } = request;
  // First, so that an undo joins after it knows again whether a place is held.
  state.undo.keep(left, request, undefined);
  state.undo.set(request, 'arrived', false);
  state.undo.set(request, 'held', false);
  for (const group of request.groups) {
    group.leave(request, held);
    state.unsettled.noteFreed(group);
  }
}

const left: Restore<PlaceRequest> = {
  restore(request) {
    for (const group of request.groups) group.join(request);
  },
};
