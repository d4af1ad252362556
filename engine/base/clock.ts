/** The time of deadlines, sleeps, crons and windows: whoever starts an engine may move it. Heartbeats, leases, ids and retention stay with the system. */
export interface Clock {
  /** Microseconds since the epoch, as an integer. */
  nowUs(): number;
  /** Microseconds, summed, in which this process stood still: no task's deadline counts them. Default none. */
  standstillUs?(): number;
  /** The system's time, in milliseconds, when this clock showed so: ids are dated by it. Default the same. */
  systemMs?(ms: number): number;
}

export const systemClock: Clock = {
  nowUs: () => Date.now() * 1000,
};
