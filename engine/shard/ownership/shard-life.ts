import type { ShardState } from '../../plan/state/shard-state.ts';
import type { OwnedShard } from './owned-shards.ts';

/** Pauses before a shard that fails in a row is tried again: at once, then 1 s, doubled up to 60 s. */
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

type Phase =
  /** Of nobody, or of another process. */
  | { name: 'free' }
  /** Its row has our epoch; nothing is read yet. */
  | { name: 'acquired'; owned: OwnedShard }
  /** Its rows are being read. */
  | { name: 'recovering'; owned: OwnedShard }
  /** Its commands are carried out. */
  | { name: 'serving'; state: ShardState };

/**
 * Where this process is with one shard:
 *
 *     free ─▶ acquired ─▶ recovering ─▶ serving
 *      ▲          │            │           │
 *      └──────────┴── lost, or given back ─┘
 *
 * Lost: the row has another owner. Given back: this process could not recover it, or must not trust its memory any more, or stops.
 * Each shard goes its own way, whatever becomes of the others.
 */
export class ShardLife {
  readonly id: number;
  #phase: Phase = { name: 'free' };
  #fails = 0;
  #retryAtMs = -Infinity;

  constructor(id: number) {
    this.id = id;
  }

  get phase(): Phase['name'] {
    return this.#phase.name;
  }

  get isFree(): boolean {
    return this.#phase.name === 'free';
  }

  /** What was acquired, while it is not served yet. */
  get owned(): OwnedShard | undefined {
    return this.#phase.name === 'acquired' || this.#phase.name === 'recovering' ? this.#phase.owned : undefined;
  }

  /** Its memory, while it is served. */
  get state(): ShardState | undefined {
    return this.#phase.name === 'serving' ? this.#phase.state : undefined;
  }

  /** How often it has failed since it last did anything. */
  get fails(): number {
    return this.#fails;
  }

  /** Free, and not in the pause after a failure. */
  isWanted(nowMs: number): boolean {
    return this.isFree && nowMs >= this.#retryAtMs;
  }

  acquire(owned: OwnedShard): void {
    this.#from('free');
    this.#phase = { name: 'acquired', owned };
  }

  recover(): OwnedShard {
    const { owned } = this;
    if (owned === undefined) throw this.#misplaced('recovering');
    this.#phase = { name: 'recovering', owned };
    return owned;
  }

  /** Its recovery did not get to its end, and begins anew. */
  again(): void {
    const { owned } = this;
    if (owned === undefined) throw this.#misplaced('recovering');
    this.#phase = { name: 'acquired', owned };
  }

  serve(state: ShardState): void {
    this.#from('recovering');
    this.#phase = { name: 'serving', state };
  }

  /** A transaction of it is stored: it works. */
  worked(): void {
    this.#fails = 0;
  }

  /** Another process owns it, or nobody does. @returns the memory that is void now */
  lose(): ShardState | undefined {
    const { state } = this;
    this.#phase = { name: 'free' };
    return state;
  }

  /** Its recovery, or its memory, is broken. @returns the pause before the next try: none after a first failure */
  fail(nowMs: number): { pauseMs: number; fails: number } {
    this.#fails++;
    const pauseMs = this.#fails === 1 ? 0 : Math.min(firstPauseMs * 2 ** (this.#fails - 2), longestPauseMs);
    this.#retryAtMs = nowMs + pauseMs;
    return { pauseMs, fails: this.#fails };
  }

  #from(phase: Phase['name']): void {
    if (this.#phase.name !== phase) throw this.#misplaced(phase);
  }

  #misplaced(wanted: string): Error {
    return new Error(`shard ${this.id} is ${this.#phase.name}, not ${wanted}: this is a bug`);
  }
}
