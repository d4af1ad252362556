import type { ModelTask, ModelView } from './model-state.ts';
import type { Places } from './places.ts';
import type { Queue } from './queue.ts';

/** Who gets places: once a batch's commands are done, until nothing moves any more. */
export class Admission {
  readonly #model: ModelView;
  readonly #parts: { places: Places; queue: Queue; cancel: (task: ModelTask) => void };

  constructor(model: ModelView, parts: { places: Places; queue: Queue; cancel: (task: ModelTask) => void }) {
    this.#model = model;
    this.#parts = parts;
  }

  settle(): void {
    const { places } = this.#parts;
    while (places.freed.length + places.arrivals.length > 0) {
      const freed = places.freed;
      places.freed = [];
      for (const key of freed) {
        for (
          let next = places.line(key, this.#model.tasks)[0];
          next !== undefined && !places.isFull(key);
          next = places.line(key, this.#model.tasks)[0]
        ) {
          next.inLine = null;
          this.#admit(next, { behindOthers: false });
        }
      }
      if (places.freed.length > 0) continue;
      const next = places.arrivals.shift();
      if (next?.where === 'ready') this.#judge(next);
    }
  }

  #judge(task: ModelTask): void {
    const { places } = this.#parts;
    const open = [task.runRequest, task.request]
      .filter((request) => request !== null)
      .filter((request) => !request.held);
    const fresh = open.filter((request) => !request.arrived);
    const { refused, pushedOut } = places.judgeCancelling(fresh);
    const doomed = refused === null ? pushedOut : [refused];
    if (refused === null) {
      for (const request of fresh) request.arrived = true;
      if (!this.#admit(task, { behindOthers: true })) doomed.push(...places.judgeQueued(open));
    }
    for (const request of doomed) for (const each of request.tasks) this.#parts.cancel(each);
  }

  /** All places or none. */
  #admit(task: ModelTask, { behindOthers }: { behindOthers: boolean }): boolean {
    const { places } = this.#parts;
    const open = [task.runRequest, task.request]
      .filter((request) => request !== null)
      .filter((request) => !request.held);
    const full = open
      .flatMap((request) => request.keys)
      .find((key) => places.isFull(key) || (behindOthers && places.line(key, this.#model.tasks).length > 0));
    if (full !== undefined) {
      task.inLine = full;
      return false;
    }
    for (const request of open) request.held = true;
    task.admitted = true;
    this.#parts.queue.enter(task);
    for (const request of open.filter(({ ofRun }) => ofRun)) {
      for (const sibling of request.tasks) {
        if (sibling.inLine === null) continue;
        sibling.inLine = null;
        this.#admit(sibling, { behindOthers: false });
      }
    }
    return true;
  }
}
