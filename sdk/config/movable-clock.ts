/** What has to happen on a worker before its engine's clock is moved, and when its engine ends. */
export interface ClockedWorker {
  passTime(ms: number): Promise<void>;
  stop(): Promise<void>;
}

/** An engine in this process whose clock can be moved, as its clients see it. */
export interface MovableClock {
  readonly now: () => Date;
  /** Those that run. */
  readonly workers: Set<ClockedWorker>;
}

/**
 * By `host:port`. Of the modules of a test only the environment says that its client speaks to a test engine: the clock
 * cannot be handed to a client that `Hatchet.init()` makes, so that the client looks it up.
 */
const clocks = new Map<string, MovableClock>();

export function movableClockOf(hostPort: string): MovableClock | undefined {
  return clocks.get(hostPort);
}

/** For `hatchet-ts/testing`, before a client of the engine is made. @returns ends it */
export function addMovableClock(hostPort: string, clock: MovableClock): () => void {
  clocks.set(hostPort, clock);
  return () => void clocks.delete(hostPort);
}
