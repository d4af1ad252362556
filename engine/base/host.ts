/** A timer that runs. */
export interface HostTimer {
  clear(): void;
  /** The process need not stay for it. */
  unref(): void;
}

/**
 * What a part of the engine has from the process that it runs in: clocks, and what calls it later. All of it that decides
 * anything by time takes it from here, so that a simulation can give each engine a process of its own.
 */
export interface Host {
  /** Never goes back; how it compares with any other clock is not known. */
  monotonicMs(): number;
  /** The clock of the machine, which anybody may set. */
  wallMs(): number;
  setTimeout(run: () => void, ms: number): HostTimer;
  setInterval(run: () => void, ms: number): HostTimer;
  /** In the next turn of the event loop, after what has arrived by now. */
  setImmediate(run: () => void): void;
}

class NodeTimer implements HostTimer {
  readonly #timer: NodeJS.Timeout;

  constructor(timer: NodeJS.Timeout) {
    this.#timer = timer;
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  unref(): void {
    this.#timer.unref();
  }
}

/** This process. */
export const processHost: Host = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimeout: (run, ms) => new NodeTimer(setTimeout(run, ms)),
  setInterval: (run, ms) => new NodeTimer(setInterval(run, ms)),
  setImmediate: (run) => void setImmediate(run),
};

/** Resolves after a time. */
export function delay(host: Host, ms: number): Promise<void> {
  return new Promise((resolve) => void host.setTimeout(resolve, ms));
}

/** Resolves in the next turn of the event loop. */
export function turn(host: Host): Promise<void> {
  return new Promise((resolve) => host.setImmediate(resolve));
}
