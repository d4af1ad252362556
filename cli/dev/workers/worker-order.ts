/** By which a worker's threads and forks know how to load the project's modules. */
export const modulesVariable = 'HATCHET_WORKER_MODULES';

/** What the CLI tells a worker's process, one JSON object a line, before the worker's own code runs. */
export type WorkerOrder =
  /** Get ready: the order to run comes once there is something to run. */
  { type: 'warm-up' } | { type: 'run'; manifest: string; project: string };
