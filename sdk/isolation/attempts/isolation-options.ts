import type { Duration } from '../../duration.ts';

/** How a worker runs tasks that have `isolation`. */
export interface IsolationOptions {
  /** Runners, threads and processes, at once; other attempts wait for one, within the worker's slots. @default the cores that this process may use */
  runners?: number | undefined;
  /** Of them, those that are kept for the next attempt of a task of the same module. A sandbox is never kept. @default as `runners` */
  idleRunners?: number | undefined;
  /** How long one is kept that has nothing to do. @default '60s' */
  idleTime?: Duration | undefined;
  /**
   * Where the kernel cannot keep a sandbox in, as on macOS or in a container without the right to make namespaces: whether the worker
   * refuses to start, or runs its sandboxes with what Node alone refuses. The guide says what that stops, and what it does not.
   * @default 'refuse'
   */
  weakerSandbox?: 'refuse' | 'accept' | undefined;
}
