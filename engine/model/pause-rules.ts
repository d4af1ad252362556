/** What becomes of a paused workflow's runs, beside waiting. */
export interface PauseRules {
  /** Ticks of its crons pass without a run. */
  dropsCrons: boolean;
  /** Its scheduled runs that come due are not made, then or later. */
  dropsSchedules: boolean;
  /** A task that was queued for longer is cancelled; null: it waits for as long as the pause lasts. */
  queueTtlMs: number | null;
}

/** Everything waits. */
export const waitingPause: PauseRules = { dropsCrons: false, dropsSchedules: false, queueTtlMs: null };
