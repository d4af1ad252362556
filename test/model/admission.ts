import type { ModelKey, ModelPlaceRequest, ModelTask, ModelView, Progress } from './model-state.ts';
import type { Places } from './places.ts';
import type { Queue } from './queue.ts';

/**
 * Who gets places: once a transaction's commands are done, until nothing moves any more, or until the planner's budget was
 * spent. Places that are free go first, then those that a strategy does not let wait are cancelled, then the next is judged.
 */
export class Admission {
  readonly #model: ModelView;
  readonly #parts: { places: Places; queue: Queue; cancel: (task: ModelTask) => void };

  constructor(model: ModelView, parts: { places: Places; queue: Queue; cancel: (task: ModelTask) => void }) {
    this.#model = model;
    this.#parts = parts;
  }

  settle(progress: Progress): void {
    const { places } = this.#parts;
    for (let goesOn = true; goesOn;) {
      // Among keys the order is free.
      if (places.freed.length > 0) goesOn = places.freed.some((key) => this.#wake(key, progress));
      else if (places.crowded.length > 0) goesOn = places.crowded.some((key) => this.#thinOut(key, progress));
      else goesOn = this.#judgeFirst(progress);
    }
  }

  /** @returns whether the planner came further */
  #wake(key: ModelKey, progress: Progress): boolean {
    const { places } = this.#parts;
    const first = (): ModelTask | undefined => places.line(key, this.#model.tasks)[0];
    for (let next = first(); next !== undefined && !places.isFull(key); next = first()) {
      if (!progress.isAdmitted && progress.standsFor(next.id, key.name)) return false;
      next.inLine = null;
      this.#admit(next, { behindOthers: false });
    }
    places.freed = places.freed.filter((each) => each !== key);
    return true;
  }

  /** @returns whether the planner came further */
  #thinOut(key: ModelKey, progress: Progress): boolean {
    const { places } = this.#parts;
    const surplus = places.surplus(key);
    const over = surplus.filter((request) => isOver(request, progress));
    this.#cancel(over);
    if (over.length === surplus.length) places.crowded = places.crowded.filter((each) => each !== key);
    return over.length === surplus.length || places.freed.length > 0;
  }

  /** @returns whether the planner came further */
  #judgeFirst(progress: Progress): boolean {
    const { places } = this.#parts;
    const [next] = places.arrivals;
    if (next === undefined) return false;
    if (next.where === 'ready' && !progress.isAdmitted && progress.awaitsVerdict(next.id))
      return this.#makeRoom(next, progress);
    places.arrivals.shift();
    if (next.where === 'ready') this.#judge(next, progress);
    return true;
  }

  /** A verdict that pushes out more than there was room for: some are gone, and it is judged again. */
  #makeRoom(task: ModelTask, progress: Progress): boolean {
    const { pushedOut } = this.#parts.places.judgeCancelling(fresh(task));
    const gone = pushedOut.filter((request) => request.tasks.some(isThere) && isOver(request, progress));
    this.#cancel(gone);
    return gone.length > 0;
  }

  #judge(task: ModelTask, progress: Progress): void {
    const { places } = this.#parts;
    const arriving = fresh(task);
    const { refused, pushedOut } = places.judgeCancelling(arriving);
    if (refused !== null) return this.#cancel([refused]);
    for (const request of arriving) request.arrived = true;
    const keys = this.#admit(task, { behindOthers: true }) ? [] : open(task).flatMap((request) => request.keys);
    const surplus = keys.map((key) => ({ key, requests: places.surplus(key) }));
    this.#cancel(pushedOut);
    for (const { key, requests } of surplus) {
      const over = requests.filter((request) => isOver(request, progress));
      this.#cancel(over);
      if (over.length < requests.length && !places.crowded.includes(key)) places.crowded.push(key);
    }
  }

  #cancel(requests: readonly ModelPlaceRequest[]): void {
    for (const request of requests) for (const each of request.tasks) this.#parts.cancel(each);
  }

  /** All places or none. */
  #admit(task: ModelTask, { behindOthers }: { behindOthers: boolean }): boolean {
    const { places } = this.#parts;
    const requests = open(task);
    const full = requests
      .flatMap((request) => request.keys)
      .find((key) => places.isFull(key) || (behindOthers && places.line(key, this.#model.tasks).length > 0));
    if (full !== undefined) {
      task.inLine = full;
      return false;
    }
    for (const request of requests) request.held = true;
    task.admitted = true;
    this.#parts.queue.enter(task);
    for (const request of requests.filter(({ ofRun }) => ofRun)) {
      for (const sibling of request.tasks) {
        if (sibling.inLine === null) continue;
        sibling.inLine = null;
        this.#admit(sibling, { behindOthers: false });
      }
    }
    return true;
  }
}

function open(task: ModelTask): ModelPlaceRequest[] {
  return [task.runRequest, task.request].filter((request) => request !== null).filter((request) => !request.held);
}

function fresh(task: ModelTask): ModelPlaceRequest[] {
  return open(task).filter((request) => !request.arrived);
}

function isThere(task: ModelTask): boolean {
  return task.where !== 'gone' && task.outcome === null;
}

/** The planner has cancelled it, or will have nothing left to do without. */
function isOver(request: ModelPlaceRequest, progress: Progress): boolean {
  return (
    progress.isAdmitted || request.tasks.every((task) => !isThere(task) || progress.hasEnded(task.id, task.generation))
  );
}
