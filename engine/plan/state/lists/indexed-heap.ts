/** What stands in at most one such heap at a time, and knows where. */
export interface HeapItem {
  /** Its place; -1 outside of the heap. */
  at: number;
}

/** A binary heap, first first, in which an item that changes or leaves is found without a search. */
export class IndexedHeap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #isBefore: (a: T, b: T) => boolean;

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  get size(): number {
    return this.#items.length;
  }

  /** In no order. */
  get items(): readonly T[] {
    return this.#items;
  }

  add(item: T): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  /** Its order has changed. */
  moved(item: T): void {
    this.#rise(item, item.at);
    this.#sink(item, item.at);
  }

  remove(item: T): void {
    const { at } = item;
    if (this.#items[at] !== item) return;
    item.at = -1;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#rise(last, at);
    this.#sink(last, last.at);
  }

  #rise(item: T, from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#items[parent];
      if (above === undefined || !this.#isBefore(item, above)) break;
      this.#put(above, at);
      at = parent;
    }
    this.#put(item, at);
  }

  #sink(item: T, from: number): void {
    let at = from;
    for (;;) {
      let child = at * 2 + 1;
      const left = this.#items[child];
      if (left === undefined) break;
      const right = this.#items[child + 1];
      let lower = left;
      if (right !== undefined && this.#isBefore(right, left)) {
        lower = right;
        child++;
      }
      if (!this.#isBefore(lower, item)) break;
      this.#put(lower, at);
      at = child;
    }
    this.#put(item, at);
  }

  #put(item: T, at: number): void {
    this.#items[at] = item;
    item.at = at;
  }
}
