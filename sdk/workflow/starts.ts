import type { CronsClient } from '../features/crons-client.ts';
import type { ScheduledClient } from '../features/scheduled-client.ts';
import type { RunStarter } from '../run/run-starter.ts';

/** What starts the runs of a declaration: now, at a time, or again and again. */
export interface Starts {
  readonly runner: RunStarter;
  readonly scheduled: ScheduledClient;
  readonly crons: CronsClient;
}
