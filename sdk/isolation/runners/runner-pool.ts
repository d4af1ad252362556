import type { RunnerLink } from './runner-link.ts';

/** How a worker keeps its runners. */
export interface PoolSettings {
  /** Runners at once. */
  readonly size: number;
  /** Of them, those that are kept while they have nothing to do. */
  readonly idle: number;
  readonly idleMs: number;
}

interface Idle {
  readonly key: string;
  readonly link: RunnerLink;
  readonly timer: NodeJS.Timeout;
}

/** The runners of a worker: as many as it has cores for, those that were used last at hand for the next attempt. */
export class RunnerPool {
  readonly #settings: PoolSettings;
  readonly #idle: Idle[] = [];
  /** What waits for a place, first come first served. */
  readonly #waiting: (() => void)[] = [];
  readonly #links = new Set<RunnerLink>();
  #busy = 0;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
  }

  /**
   * Runs a job with a runner of the key, once there is a place for it.
   * @param use gives what came out, and whether the runner can be used again; it is ended where it cannot
   * @throws the signal's reason where it is aborted before there is a place; what `start` throws
   */
  async with<Result>(
    key: string,
    {
      start,
      use,
      signal,
    }: {
      start: () => Promise<RunnerLink>;
      use: (link: RunnerLink) => Promise<{ result: Result; isReusable: boolean }>;
      signal: AbortSignal;
    },
  ): Promise<Result> {
    await this.#place(signal);
    try {
      const link = this.#takeIdle(key) ?? (await this.#start(start));
      let isReusable = false;
      try {
        const used = await use(link);
        isReusable = used.isReusable;
        return used.result;
      } finally {
        if (isReusable) this.#keep(key, link);
        else await link.kill();
      }
    } finally {
      // Its place goes on to the next in line; nobody comes in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy -= 1;
      else next();
    }
  }

  /** Ends all runners. */
  async stop(): Promise<void> {
    for (const { timer } of this.#idle.splice(0)) clearTimeout(timer);
    await Promise.all([...this.#links].map((link) => link.kill()));
  }

  async #place(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#busy < this.#settings.size) {
      this.#busy += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const turn = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(signal.reason);
      };
      this.#waiting.push(turn);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  async #start(start: () => Promise<RunnerLink>): Promise<RunnerLink> {
    // One that waits for another kind of task gives way: there are never more than the size.
    while (this.#links.size >= this.#settings.size && this.#idle.length > 0) await this.#end(this.#idle.shift());
    const link = await start();
    this.#links.add(link);
    void link.gone.then(() => {
      this.#links.delete(link);
      const at = this.#idle.findIndex((idle) => idle.link === link);
      if (at !== -1) clearTimeout(this.#idle.splice(at, 1)[0]?.timer);
    });
    return link;
  }

  #takeIdle(key: string): RunnerLink | undefined {
    const at = this.#idle.findLastIndex((idle) => idle.key === key);
    const [idle] = at === -1 ? [] : this.#idle.splice(at, 1);
    clearTimeout(idle?.timer);
    return idle?.link;
  }

  #keep(key: string, link: RunnerLink): void {
    if (!this.#links.has(link)) return;
    const idle: Idle = { key, link, timer: setTimeout(() => void this.#end(idle), this.#settings.idleMs) };
    idle.timer.unref();
    this.#idle.push(idle);
    if (this.#idle.length > this.#settings.idle) void this.#end(this.#idle[0]);
  }

  async #end(idle: Idle | undefined): Promise<void> {
    if (idle === undefined) return;
    clearTimeout(idle.timer);
    const at = this.#idle.indexOf(idle);
    if (at !== -1) this.#idle.splice(at, 1);
    await idle.link.kill();
  }
}
