/** Wakes who watches a durable task's log when a node of it was asked or satisfied. Nobody watching costs nothing. */
export class DurableSignal {
  readonly #watchers = new Map<string, Set<() => void>>();

  changed(nodes: readonly { taskId: string }[]): void {
    if (this.#watchers.size === 0) return;
    for (const taskId of new Set(nodes.map((node) => node.taskId)))
      for (const wake of this.#watchers.get(taskId) ?? []) wake();
  }

  /** @returns ends the watch */
  watch(taskId: string, wake: () => void): () => void {
    const watchers = this.#watchers.get(taskId) ?? new Set();
    this.#watchers.set(taskId, watchers);
    watchers.add(wake);
    return () => {
      watchers.delete(wake);
      if (watchers.size === 0 && this.#watchers.get(taskId) === watchers) this.#watchers.delete(taskId);
    };
  }
}
