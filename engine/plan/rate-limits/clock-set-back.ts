import type { Plan } from '../state/plan.ts';
import { awaitRefill } from './wait-for-units.ts';

/**
 * The clock was ahead, and was set back: windows that began then would be in force until the time has caught up. They begin
 * now, with what is used of them: so each lasts no longer than a window, and nobody gets its units twice. All limits are
 * looked at, once for each time that the clock is set back.
 */
export function boundWindows(plan: Plan): void {
  const { state, nowUs, changes } = plan;
  const { undo } = state;
  if (state.newestWindowUs <= nowUs) return;
  undo.set(state, 'newestWindowUs', nowUs);
  for (const limit of state.rateLimits.values()) {
    if (limit.windowStartUs <= nowUs) continue;
    undo.set(limit, 'windowStartUs', nowUs);
    changes.touchedLimits.add(limit);
    if (limit.refill !== undefined) awaitRefill(plan, limit);
  }
}
