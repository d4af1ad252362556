import { suits } from './pick-worker.ts';
import { LineHeap, type Line } from './line.ts';
import { isAhead, type Standing } from './task-order.ts';
import { placesInIndex, placesOf, type WorkflowState } from './placement.ts';
import type { PlannerWorker, SlotUse } from './planner-worker.ts';

/** Lines whose tasks cost the same, of one workflow: whether a worker has room is asked once for all of them. */
interface CostGroup {
  readonly workflow: WorkflowState;
  readonly cost: readonly SlotUse[];
  readonly places: Map<string, LineHeap>;
}

/**
 * The lines of a queue that wait for a worker, by a label that every worker which suits them has: a worker with room finds
 * those that it may serve, however many others there are.
 */
export class LineIndex {
  readonly #groups = new Map<string, CostGroup>();

  /** The place for a line: of those under which its workers look, the one with the fewest lines. */
  placeFor({ constraint: { placement } }: Line): LineHeap {
    let group = this.#groups.get(placement.costGroup);
    if (group === undefined) {
      group = { workflow: placement.workflow, cost: placement.cost, places: new Map() };
      this.#groups.set(placement.costGroup, group);
    }
    let [fewest, at] = [Infinity, ''];
    for (const place of placesInIndex(placement)) {
      const size = group.places.get(place)?.size ?? 0;
      if (size < fewest) [fewest, at] = [size, place];
    }
    let heap = group.places.get(at);
    if (heap === undefined) {
      heap = new LineHeap();
      group.places.set(at, heap);
    }
    return heap;
  }

  /** The line that a worker could take a task of, if any; of several the one that is ahead. */
  firstFor(worker: PlannerWorker): Line | undefined {
    let best: { line: Line; standing: Standing } | undefined;
    for (const { workflow, cost, places } of this.#groups.values()) {
      if (places.size === 0 || workflow.paused || !worker.takes(cost)) continue;
      for (const place of placesOf(worker)) {
        const line = places.get(place)?.find(({ constraint }) => suits(worker, constraint.placement));
        const standing = line?.standing();
        if (line !== undefined && standing !== undefined && (best === undefined || isAhead(standing, best.standing)))
          best = { line, standing };
      }
    }
    return best?.line;
  }

  /** Only after a commit: an undo puts lines back into their heaps. */
  tidy(): void {
    for (const [name, { places }] of this.#groups) {
      for (const [place, heap] of places) if (heap.first === undefined) places.delete(place);
      if (places.size === 0) this.#groups.delete(name);
    }
  }
}
