import type { ResolvedTls } from '../../../sdk/config/resolve-tls.ts';

/** Between `hatchet bench` and its worker processes, over Node's IPC. Times are milliseconds since the epoch, with fractions. */
export interface WorkerSettings {
  address: string;
  token: string;
  tls: ResolvedTls;
  actions: readonly string[];
  firstAction: string;
  lastAction: string;
  slots: number;
}

export type WorkerMessage =
  | { type: 'ready' }
  /** Runs whose first task arrived, and runs whose last completion was acknowledged, with the time of each; and how many tasks were completed. */
  | {
      type: 'progress';
      started: readonly [runId: string, atMs: number][];
      completed: readonly [runId: string, atMs: number][];
      tasks: number;
    }
  | { type: 'failed'; message: string };

/** Wall time with a monotonic clock's resolution, comparable between processes of one machine. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
