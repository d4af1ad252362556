import type { CronsClient } from '../features/crons-client.ts';
import type { ScheduledClient } from '../features/scheduled-client.ts';
import type { Runner } from '../run/runner.ts';

/** What starts the runs of a declaration: now, at a time, or again and again. */
export interface Starts {
  readonly runner: Runner;
  readonly scheduled: ScheduledClient;
  readonly crons: CronsClient;
}
