/** What the CLI tells a worker's process, one JSON object a line, before the worker's own code runs. */
export type WorkerOrder =
  /** Get ready: the order to run comes once there is something to run. */
  | { type: 'warm-up' }
  | { type: 'run'; manifest: string; project: string };
