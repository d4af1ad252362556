import { setPriority } from 'node:os';

/** A third of what a thread of normal priority gets where both want the same core: enough that an honest expression keeps its deadline. */
const niceness = 5;

/**
 * The calling thread computes for one tenant, the main thread serves them all: it goes first where cores are few. On Linux
 * alone; elsewhere a priority is the whole process's.
 */
export function lowerPriorityOfThread(): void {
  if (process.platform === 'linux') setPriority(niceness);
}
