/** The time of deadlines, sleeps, crons and windows: whoever starts an engine may move it. Heartbeats, leases, ids and retention stay with the system. */
export interface Clock {
  /** Microseconds since the epoch, as an integer. */
  nowUs(): number;
}

export const systemClock: Clock = {
  nowUs: () => Date.now() * 1000,
};
