import type { EventRow } from '../../monitor/run-reader.ts';

export interface UnderWay {
  runId: string;
  workflow: string;
  task: string;
  workerId: string;
  startedAtMs: number;
}

/** After these a task is on its worker; other transitions than these and the ones below end that. */
const begins = new Set(['ASSIGNED', 'SENT_TO_WORKER', 'STARTED', 'BATCH_FLUSHED']);
const goesOn = new Set(['ACKNOWLEDGED', 'SLOT_RELEASED', 'TIMEOUT_REFRESHED']);

/** Which tasks are on which worker, by what the engine tells of every run. */
export class TasksUnderWay {
  readonly #tasks = new Map<string, UnderWay>();

  note({ type, taskId, task, runId, workflow, workerId, time }: EventRow): void {
    if (taskId === '' || goesOn.has(type)) return;
    if (!begins.has(type)) this.#tasks.delete(taskId);
    else if (workerId !== null)
      this.#tasks.set(taskId, {
        runId,
        workflow,
        task,
        workerId,
        startedAtMs: time === null ? Date.now() : Date.parse(time),
      });
  }

  get(taskId: string): UnderWay | undefined {
    return this.#tasks.get(taskId);
  }

  /** On these workers, or on all; the oldest first. */
  list(workerIds?: readonly string[]): UnderWay[] {
    return [...this.#tasks.values()]
      .filter(({ workerId }) => workerIds === undefined || workerIds.includes(workerId))
      .toSorted((a, b) => a.startedAtMs - b.startedAtMs);
  }
}
