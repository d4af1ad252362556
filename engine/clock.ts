/** Wall time. Injected everywhere, so that tests move it. */
export interface Clock {
  /** Microseconds since the epoch, as an integer. */
  nowUs(): number;
}

export const systemClock: Clock = {
  nowUs: () => Date.now() * 1000,
};
