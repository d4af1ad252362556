import type { Plan } from '../state/plan.ts';
import type { PlaceRequest } from './concurrency-group.ts';

/** Gives a request's places back, and its membership. It can arrive again: after a back-off. */
export function releasePlaces(plan: Plan, request: PlaceRequest | null): void {
  if (request === null || !request.arrived) return;
  const { state } = plan;
  const { held } = request;
  request.arrived = false;
  request.held = false;
  for (const group of request.groups) {
    group.leave(request, held);
    state.unsettled.noteFreed(group);
  }
  state.undo.record(() => {
    request.arrived = true;
    request.held = held;
    for (const group of request.groups) group.join(request);
  });
}
