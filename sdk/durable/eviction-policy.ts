import type { Duration } from '../duration.ts';

/** When a durable task that waits leaves its worker. It takes no slot then, and goes on once its wait is over. */
export interface EvictionPolicy {
  /** How long it waits on its worker. Without one it leaves for its execution timeout, or for others, alone. */
  ttl?: Duration | undefined;
  /** Whether it leaves for tasks that need its slot. @default true */
  allowCapacityEviction?: boolean | undefined;
  /** Lower ones leave first. @default 0 */
  priority?: number | undefined;
}

/** Of tasks that say nothing else. */
export const defaultEvictionPolicy: EvictionPolicy = { ttl: '15m', allowCapacityEviction: true, priority: 0 };
