import { collectDefaultMetrics, Registry } from 'prom-client';

let registry: Registry | undefined;

/**
 * prom-client's metrics of this process: CPU, memory, garbage collection, lag of the event loop. Made when they are first asked for,
 * and once for all engines of a process: their observers cannot be ended.
 */
export function processMetrics(): Registry {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
  }
  return registry;
}
