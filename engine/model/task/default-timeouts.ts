/** Of a task that names none: how long an attempt may run. */
export const defaultExecutionTimeoutMs = 60_000;
/** From queueing to the assignment. */
export const defaultScheduleTimeoutMs = 300_000;
