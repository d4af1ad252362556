import type { WorkerLabels } from '../context/context-host.ts';
import type { Duration } from '../duration.ts';
import type { IsolationOptions } from '../isolation/attempts/isolation-options.ts';
import type { Runnable } from '../workflow/declaration.ts';

/** What `hatchet.worker` takes. */
export interface WorkerOptions {
  /** Tasks and workflows that it runs. More can be added with `registerWorkflows` before it starts. */
  workflows?: readonly Runnable[] | undefined;
  /** Tasks at once. @default 100 */
  slots?: number | undefined;
  /** Durable tasks at once. @default 1000 where a workflow has durable tasks */
  durableSlots?: number | undefined;
  /** Labels that tasks can ask for. */
  labels?: WorkerLabels | undefined;
  /** Whether SIGTERM and SIGINT stop it gracefully and then end the process with 0; a second one ends it at once. @default true */
  handleKill?: boolean | undefined;
  /** How long a stop waits for running tasks. What still runs then is given to other workers. @default '60s' */
  shutdownGracePeriod?: Duration | undefined;
  /** How tasks with `isolation` are run: how many at once, and what to do where a sandbox cannot be kept. */
  isolation?: IsolationOptions | undefined;
  /**
   * Whether what tasks print with `console` goes to their runs' logs too. It still goes to the terminal.
   * @default HATCHET_CLIENT_CAPTURE_CONSOLE, which `hatchet dev` sets to `true`; else false
   */
  captureConsole?: boolean | undefined;
}
