import type { Duration } from '../../duration.ts';

/** Where a task's function runs, besides the worker's own thread. */
export type IsolationLevel = 'thread' | 'process' | 'sandbox';

/** What each level of isolation can be limited to. An attempt that goes beyond a limit is ended, and fails with the limit's code. */
interface Limits {
  /**
   * The module that declares the task: `import.meta.url`, or a path. Needed only where the task is declared by a function that another
   * module calls later.
   * @default the module whose evaluation declares the task
   */
  module?: string | undefined;
  /** Time on a processor for one attempt; beyond it the attempt fails with CPU_LIMIT. It is looked at ten times a second. */
  cpuTime?: Duration | undefined;
  /** Bytes of the output as JSON; beyond them the attempt fails with OUTPUT_LIMIT, and is not retried. @default 4 MiB, the engine's own limit */
  resultBytes?: number | undefined;
}

/** In a thread of the worker's process: other tasks and the heartbeats go on while the function computes. */
export interface ThreadIsolation extends Limits {
  level: 'thread';
  /** MiB of JavaScript objects, at least 16; beyond them the attempt fails with MEMORY_LIMIT. Buffers do not count. @default Node's own limit */
  memoryMb?: number | undefined;
}

/** In a process of its own: what it does to its memory, or a crash of native code, harms nobody else. */
export interface ProcessIsolation extends Limits {
  level: 'process';
  /** MiB that the process has in memory, at least 64; beyond them the attempt fails with MEMORY_LIMIT. @default Node's own limit */
  memoryMb?: number | undefined;
}

/** In a process of its own for each attempt, that can do nothing but compute, unless it is granted. */
export interface SandboxIsolation extends Limits {
  level: 'sandbox';
  /** MiB that the process has in memory, at least 64; beyond them the attempt fails with MEMORY_LIMIT. @default 512 */
  memoryMb?: number | undefined;
  /** @default '60s' */
  cpuTime?: Duration | undefined;
  /** Names of the tasks and workflows that it may start, with `ctx.runChild` or their own `run`. @default none */
  children?: readonly string[] | undefined;
  /** Files and folders that it may read besides its own folder: absolute paths. @default none */
  read?: readonly string[] | undefined;
  /** Whether it may use the network. @default false */
  network?: boolean | undefined;
}

/** How a task's function is kept apart: a level, or a level with its limits. */
export type Isolation = IsolationLevel | ThreadIsolation | ProcessIsolation | SandboxIsolation;

/** Of tasks whose function may run elsewhere: not of durable tasks, and not of batch tasks. */
export interface IsolatedTaskSettings {
  /**
   * Where the function runs: `'thread'` and `'process'` for work that keeps a processor busy, `'sandbox'` for code that is not trusted.
   * See the guide on isolation.
   * @default in the worker's own thread
   */
  isolation?: Isolation | undefined;
}
