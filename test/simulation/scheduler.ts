/** Something that will happen, unless it is called off. */
export class Happening {
  readonly atMs: number;
  readonly order: number;
  readonly number: number;
  run: (() => void) | undefined;

  constructor(atMs: number, order: number, number: number, run: () => void) {
    this.atMs = atMs;
    this.order = order;
    this.number = number;
    this.run = run;
  }

  callOff(): void {
    this.run = undefined;
  }

  isBefore(other: Happening): boolean {
    if (this.atMs !== other.atMs) return this.atMs < other.atMs;
    return this.order === other.order ? this.number < other.number : this.order < other.order;
  }
}

/** Simulated time. What happens at one time happens in an order that the seed chooses. */
export class Scheduler {
  readonly #order: () => number;
  readonly #heap: Happening[] = [];
  #number = 0;
  #nowMs = 0;

  /** @param order gives each happening its place among those of its time */
  constructor(order: () => number) {
    this.#order = order;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Never before what is happening now. */
  at(atMs: number, run: () => void, order = this.#order()): Happening {
    const happening = new Happening(Math.max(atMs, this.#nowMs), order, this.#number++, run);
    this.#push(happening);
    return happening;
  }

  in(ms: number, run: () => void): Happening {
    return this.at(this.#nowMs + ms, run);
  }

  /** The next thing happens, and all promises that follow from it. @returns false where nothing is left before the given time */
  async step(untilMs: number): Promise<boolean> {
    for (;;) {
      const [next] = this.#heap;
      if (next === undefined || next.atMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs);
        return false;
      }
      this.#pop();
      const { run } = next;
      if (run === undefined) continue;
      this.#nowMs = next.atMs;
      run();
      // A turn of the real event loop begins once no promise has anything left to do.
      await new Promise<void>((resolve) => setImmediate(resolve));
      return true;
    }
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(happening);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !happening.isBefore(above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [a, b] = [heap[left], heap[left + 1]];
      if (a === undefined) break;
      const isRight = b !== undefined && b.isBefore(a);
      const child = isRight ? b : a;
      if (!child.isBefore(last)) break;
      heap[at] = child;
      at = isRight ? left + 1 : left;
    }
    heap[at] = last;
  }
}
