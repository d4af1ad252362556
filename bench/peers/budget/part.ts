/** A part of the table of budgets: what it measures in one round. */
import type { Cleanup } from '../cleanup.ts';
import type { Contestant } from '../contestant.ts';
import type { Sizes } from '../measure.ts';
import type { Samples } from './samples.ts';

export interface PartContext {
  samples: Samples;
  cleanup: Cleanup;
  sizes: Sizes;
  /** For how long the idle engine is looked at. */
  idleSeconds: number;
  /** On which clients, workers and engines run. */
  node: string;
  round: number;
  contestant(name: string): Promise<Contestant>;
  /** What one contestant cannot do does not keep the others from being measured. */
  attempt(what: string, work: () => Promise<void>): Promise<void>;
}

export type Part = (context: PartContext) => Promise<void>;
