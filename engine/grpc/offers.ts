import { Metadata } from '@grpc/grpc-js';

/**
 * What this engine has beyond Hatchet's contract, for SDKs that use it only where the engine says so
 * (`sdk/connection/engine-offers.ts`). A word that was released keeps its meaning.
 */
const offers = [
  'run-ids',
  'stream-numbers',
  'pipelined-requests',
  'evictions',
  'unknown-workflows',
  'log-batches',
  'definitions',
  'continue-as-new',
  'durable-sessions',
].join(',');

/** As a session's welcome has it. */
export function offeredWords(): string {
  return offers;
}

/** Initial metadata of GetVersion and of durable streams. One for each answer: the library adds to it. */
export function offersMetadata(): Metadata {
  const metadata = new Metadata();
  metadata.set('hatchet-ts-offers', offers);
  return metadata;
}
