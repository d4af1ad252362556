import { uuidv7 } from 'uuidv7';

export interface LinkTimer {
  clear(): void;
  /** The program need not stay for it. */
  unref(): void;
}

/** What a link has from the process that it is in: a clock, what calls it later, and chance. A simulation gives it a process of its own. */
export interface LinkHost {
  /** Never goes back; how it compares with any other clock is not known. */
  monotonicMs(): number;
  setTimeout(run: () => void, ms: number): LinkTimer;
  setInterval(run: () => void, ms: number): LinkTimer;
  /** In the next turn of the event loop. */
  setImmediate(run: () => void): void;
  /** From 0 up to 1. */
  chance(): number;
  newId(): string;
}

/** This process. */
export const thisProcess: LinkHost = {
  monotonicMs: () => performance.now(),
  setTimeout: (run, ms) => timerOf(setTimeout(run, ms)),
  setInterval: (run, ms) => timerOf(setInterval(run, ms)),
  setImmediate: (run) => void setImmediate(run),
  chance: () => Math.random(),
  newId: () => uuidv7(),
};

function timerOf(timer: NodeJS.Timeout): LinkTimer {
  return { clear: () => clearTimeout(timer), unref: () => void timer.unref() };
}
