import { ArrivalLine } from '../lists/arrival-line.ts';
import { RankedList, type ListChange, type ListInverses } from '../lists/ranked-list.ts';
import type { TaskTable } from './task-table.ts';
import type { UndoLog } from '../undo-log.ts';
import type { TaskRow } from './rows.ts';

/** Every list that a task of the shard can wait in, by number: a task's row holds its list's number. */
export class TaskLists {
  readonly #tasks: TaskTable;
  readonly #lists: (RankedList | ArrivalLine | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #inverses: ListInverses = {
    inserted: { undo: (row: TaskRow, id) => this.#ranked(id).takeOut(row) },
    removed: {
      undo: (row: TaskRow, place, prev, next) =>
        this.#ranked(Math.floor(place / 256)).putBack(row, place % 256, prev, next),
    },
  };

  constructor(tasks: TaskTable) {
    this.#tasks = tasks;
  }

  create(changed?: ListChange): RankedList {
    const id = this.#free.pop() ?? this.#lists.length;
    const list = new RankedList({
      id,
      tasks: this.#tasks,
      inverses: this.#inverses,
      ...(changed === undefined ? {} : { changed }),
    });
    this.#lists[id] = list;
    return list;
  }

  createArrivals(): ArrivalLine {
    const id = this.#free.pop() ?? this.#lists.length;
    const list = new ArrivalLine({ id, tasks: this.#tasks });
    this.#lists[id] = list;
    return list;
  }

  /** The number may be used again: only for an empty list, and only after a commit. */
  drop(list: RankedList): void {
    this.#lists[list.id] = undefined;
    this.#free.push(list.id);
  }

  #ranked(id: number): RankedList {
    const list = this.#lists[id];
    if (list instanceof RankedList) return list;
    throw new Error(`there is no list ${id}: planner state is inconsistent`);
  }

  leave(row: TaskRow, undo: UndoLog): void {
    this.#lists[this.#tasks.list[row] ?? -1]?.remove(row, undo);
  }
}
