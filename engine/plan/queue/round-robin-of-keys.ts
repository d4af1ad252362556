import type { Demands } from '../../model/task/demands.ts';
import { IndexedHeap, type HeapItem } from '../state/lists/indexed-heap.ts';
import type { RankedList } from '../state/lists/ranked-list.ts';
import { rankCount } from './task-order.ts';

/** The key by which a task takes turns with others of its queue: that of its last round-robin link; '' without one. */
export function turnKeyOf({ concurrency }: Pick<Demands, 'concurrency'>): string {
  return concurrency.findLast((link) => link.strategy === 'GROUP_ROUND_ROBIN')?.key ?? '';
}

/** A key of the tasks' last round-robin link, over all lines of a queue; '' for tasks without one. */
export class QueueKey {
  readonly key: string;
  /** By rank, its tasks, and whose turn it is: the lowest number is next. A number only grows. */
  readonly counts = Array.from({ length: rankCount }, () => 0);
  readonly turns = Array.from({ length: rankCount }, () => 0);
  /** Lines that have the key. */
  uses = 0;

  constructor(key: string) {
    this.key = key;
  }
}

/** The tasks of one key in one line. */
export interface KeyTasks {
  readonly queueKey: QueueKey;
  readonly list: RankedList;
  /** By rank, its place among the keys of the line. */
  readonly ranks: (KeyAtRank | undefined)[];
}

/** Hands out the turns of a queue's keys, over all of its lines. Each goes behind those that were handed out before. */
export class TurnCounter {
  #given = 0;

  /** To a key that has its first task of the rank, and to one whose task has just been chosen: the other keys of the rank go first. */
  give(queueKey: QueueKey, rank: number): void {
    queueKey.turns[rank] = ++this.#given;
  }
}

interface KeyAtRank extends HeapItem {
  readonly tasks: KeyTasks;
  readonly rank: number;
  /** As it was when the entry took its place: never above the key's own. */
  turn: number;
}

/** Whose turn it is among the keys of a line: best rank first; inside a rank the keys take turns (round robin). */
export class KeyTurns {
  readonly #ranks: (IndexedHeap<KeyAtRank> | undefined)[] = [];

  /** A key has tasks of the rank. */
  offer(tasks: KeyTasks, rank: number): void {
    const known = (tasks.ranks[rank] ??= { tasks, rank, at: -1, turn: 0 });
    if (known.at >= 0) return;
    known.turn = tasks.queueKey.turns[rank] ?? 0;
    (this.#ranks[rank] ??= new IndexedHeap<KeyAtRank>((a, b) => a.turn < b.turn)).add(known);
  }

  forget(tasks: KeyTasks): void {
    for (const each of tasks.ranks) if (each !== undefined) this.#ranks[each.rank]?.remove(each);
  }

  /** The key whose turn it is. Keys that have no tasks any more, or have had their turn, move here. */
  first(): KeyAtRank | undefined {
    for (let rank = 0; rank < rankCount; rank++) {
      const heap = this.#ranks[rank];
      if (heap === undefined) continue;
      for (let top = heap.first; top !== undefined; top = heap.first) {
        const turn = top.tasks.queueKey.turns[rank] ?? 0;
        if (top.tasks.list.headOf(rank) === undefined) heap.remove(top);
        else if (top.turn === turn) return top;
        else {
          top.turn = turn;
          heap.moved(top);
        }
      }
    }
    return undefined;
  }
}
