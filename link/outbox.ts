/** What one side of a link has sent and the other has not acknowledged: numbered from 1, in order, to be sent again after a cut. */
export class Outbox<Frame> {
  readonly #kept = new Map<number, { readonly frame: Frame; readonly weight: number }>();
  #last = 0;
  #weight = 0;

  /** Frames that are kept. */
  get size(): number {
    return this.#kept.size;
  }

  /** What they weigh together. */
  get weight(): number {
    return this.#weight;
  }

  /** @param make the frame by its number @returns the frame, which is kept from now on */
  add(weight: number, make: (number: number) => Frame): Frame {
    const number = ++this.#last;
    const frame = make(number);
    this.#kept.set(number, { frame, weight });
    this.#weight += weight;
    return frame;
  }

  find(number: number): Frame | undefined {
    return this.#kept.get(number)?.frame;
  }

  /** The other side has it for good. @returns the frame, unless that was known */
  drop(number: number): Frame | undefined {
    const kept = this.#kept.get(number);
    if (kept === undefined) return undefined;
    this.#kept.delete(number);
    this.#weight -= kept.weight;
    return kept.frame;
  }

  /** The other side has all up to this one for good. */
  dropThrough(number: number): void {
    for (const kept of this.#kept.keys()) {
      if (kept > number) return;
      this.drop(kept);
    }
  }

  /** Those that are kept, oldest first. */
  *[Symbol.iterator](): Generator<Frame> {
    for (const { frame } of this.#kept.values()) yield frame;
  }
}
