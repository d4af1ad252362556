import { createHash } from 'node:crypto';

/** 2^53: every multiple of its inverse below 1 is a number of its own. */
const steps = 2 ** 53;

/** Random numbers that follow from one seed: the n-th is the same wherever the seed is. Turns are replayed in order, and so are draws. */
export class SeededRandom {
  readonly #seed: string;
  #drawn = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** From 0, below 1. */
  number(): number {
    return Number(this.#bytes().readBigUInt64BE() >> 11n) / steps;
  }

  /** A UUID of version 4. */
  uuid(): string {
    const bytes = this.#bytes().subarray(0, 16);
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  #bytes(): Buffer {
    this.#drawn += 1;
    return createHash('sha256').update(`${this.#seed} ${this.#drawn}`).digest();
  }
}
