import { randomFrom } from '../helpers/random.ts';

/** Chance for one part of a simulation. Each part has its own, so that leaving out a move changes nothing for the others. */
export class Chances {
  readonly #random: () => number;

  constructor(seed: number, part: string) {
    let hash = 0x811c9dc5 ^ seed;
    for (let at = 0; at < part.length; at++) hash = Math.imul(hash ^ part.charCodeAt(at), 0x01000193);
    this.#random = randomFrom(hash);
    // The first numbers of like seeds are alike.
    for (let n = 0; n < 3; n++) this.#random();
  }

  /** From 0 up to 1. */
  number(): number {
    return this.#random();
  }

  between(least: number, most: number): number {
    return least + this.#random() * (most - least);
  }

  whole(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1));
  }

  is(share: number): boolean {
    return this.#random() < share;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#random() * items.length)];
    if (item === undefined) throw new Error('there is nothing to pick from');
    return item;
  }

  uint32(): number {
    return Math.floor(this.#random() * 4_294_967_296);
  }
}
