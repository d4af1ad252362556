import type { Command } from '../../engine/plan/commands/command.ts';
import type { ModelTask, ModelWorker } from './model-state.ts';

export interface WorkersParts {
  /** Those that are not gone. */
  tasks: () => readonly ModelTask[];
  /** Its worker has gone while it ran, or while it was being told to stop. @param mostDeaths null where its tasks are not to count it */
  orphaned: (task: ModelTask, mostDeaths: number | null) => void;
}

/** Who is there to run tasks, in the order in which they came. */
export class Workers {
  all: ModelWorker[] = [];
  readonly #parts: WorkersParts;

  constructor(parts: WorkersParts) {
    this.#parts = parts;
  }

  restart(now: number): void {
    this.all = this.all.filter((worker) => !worker.left || this.#parts.tasks().some((task) => task.worker === worker));
    for (const worker of this.all) Object.assign(worker, { present: false, blocked: false, awaySince: now });
  }

  run(command: Command, now: number): void {
    if (command.kind === 'registerWorker') {
      this.all.push({
        id: command.workerId,
        actions: command.actions,
        slots: command.slots['default'] ?? 0,
        labels: new Map(Object.entries(command.labels)),
        present: false,
        blocked: false,
        awaySince: 0,
        paused: false,
        left: false,
      });
      return;
    }
    if (!('workerId' in command)) throw new Error(`the model does not know ${command.kind}`);
    const worker = this.all.find(({ id }) => id === command.workerId);
    if (worker === undefined) return;
    if (command.kind === 'workerPresence') {
      worker.present = command.assignable;
      this.#setAway(worker, command.away === true, now);
    }
    if (command.kind === 'workerAnswered') worker.blocked = false;
    if (command.kind === 'updateWorker') {
      worker.paused = command.paused ?? worker.paused;
      worker.labels = new Map([...worker.labels, ...Object.entries(command.labels ?? {})]);
    }
    if (command.kind === 'unsubscribe') worker.left = true;
    if (command.kind === 'workerLost') {
      worker.present = false;
      const held = this.#parts.tasks().filter((task) => task.worker === worker);
      for (const task of held.sort((a, b) => a.assigned - b.assigned))
        this.#parts.orphaned(task, worker.left ? null : (command.death?.mostDeaths ?? null));
      if (worker.left || command.forget === true) this.all = this.all.filter((each) => each !== worker);
    }
  }

  #setAway(worker: ModelWorker, away: boolean, now: number): void {
    if (away === worker.awaySince > 0) return;
    if (!away)
      for (const task of this.#parts.tasks())
        if (task.worker === worker && task.where === 'runs') task.due += now - worker.awaySince;
    worker.awaySince = away ? now : 0;
  }
}
