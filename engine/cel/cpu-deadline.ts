/** A try may last so many times as long as what it may take of a core. */
const mostPatience = 32;

/**
 * Runs something until it is done, or has had its time on a core. What can be measured out beforehand is time on the wall, and a
 * thread may get no core for as long as that on a busy machine: a try that was stopped early by that measure is made again, with
 * twice as much. All tries together take less than three times the deadline of a core.
 * @param attempt undefined where it was stopped after so many milliseconds on the wall
 * @param cpuMs what the thread has had of a core; undefined where nobody can tell: then there is one try
 */
export function withinCpu<Result>(
  deadlineMs: number,
  attempt: (wallMs: number) => Result | undefined,
  cpuMs: () => number | undefined,
): Result | 'overran' {
  for (let wallMs = deadlineMs; ; wallMs *= 2) {
    const before = cpuMs();
    const result = attempt(wallMs);
    if (result !== undefined) return result;
    const after = cpuMs();
    if (before === undefined || after === undefined) return 'overran';
    if (after - before >= deadlineMs / 2 || wallMs >= mostPatience * deadlineMs) return 'overran';
  }
}
