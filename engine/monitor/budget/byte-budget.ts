/** Bytes that an answer holds until it is written out. */
export interface Reservation {
  readonly bytes: number;
  /** Gives back what turned out not to be needed. */
  shrink(bytes: number): void;
  /** Gives back the rest. What is released stays so. */
  release(): void;
}

interface Waiting {
  bytes: number;
  admit: (reservation: Reservation) => void;
}

/**
 * A semaphore of bytes. Who finds too little room waits, in order: small answers do not overtake a large one, which would wait
 * for ever otherwise. One that asks for more than there is in all gets all of it, alone.
 */
export class ByteBudget {
  readonly total: number;
  readonly #waiting: Waiting[] = [];
  #taken = 0;

  constructor(total: number) {
    this.total = total;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  reserve(wanted: number): Promise<Reservation> {
    const bytes = Math.min(wanted, this.total);
    if (this.#waiting.length === 0 && this.#taken + bytes <= this.total) return Promise.resolve(this.#take(bytes));
    return new Promise((admit) => {
      this.#waiting.push({ bytes, admit });
    });
  }

  #take(taken: number): Reservation {
    this.#taken += taken;
    let bytes = taken;
    const keep = (rest: number): void => {
      if (rest >= bytes) return;
      this.#taken -= bytes - rest;
      bytes = rest;
      this.#admit();
    };
    return {
      get bytes() {
        return bytes;
      },
      shrink: keep,
      release: () => keep(0),
    };
  }

  #admit(): void {
    for (
      let next = this.#waiting[0];
      next !== undefined && this.#taken + next.bytes <= this.total;
      next = this.#waiting[0]
    ) {
      this.#waiting.shift();
      next.admit(this.#take(next.bytes));
    }
  }
}
