/** The time of deadlines, sleeps, crons and windows: whoever starts an engine may move it. Heartbeats, leases, ids and retention stay as they are. */
export interface Clock {
  /** Microseconds since the epoch, as an integer. */
  nowUs(): number;
  /** Microseconds that have passed on this clock without the process having lived through them: no task's deadline counts them. Default none. */
  standstillUs?(): number;
  /** The system's time, in milliseconds, when this clock showed so: ids are dated by it. Default the same. */
  systemMs?(ms: number): number;
}

/** Of tests without a Postgres; an engine goes by Postgres's time. */
export const systemClock: Clock = {
  nowUs: () => Date.now() * 1000,
};
