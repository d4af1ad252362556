import type { OpenRun, PaneName } from './ui-state.ts';

/** A run that was just opened: nothing of it is known yet. */
export function openRun(runId: string, pane: PaneName): OpenRun {
  return { runId, detail: undefined, events: [], logs: [], pane, scroll: isFed(pane) ? null : 0, missing: false };
}

/** Panes that grow at their end. */
export function isFed(pane: PaneName): boolean {
  return pane === 'events' || pane === 'logs';
}
