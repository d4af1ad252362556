/** A line that another engine process stored is seen after this. */
const longestMs = 2_000;

/** Wakes who follows a run's log when a line of it was stored. */
export class LogSignal {
  readonly #waiting = new Set<{ taskIds: ReadonlySet<string>; wake: () => void }>();

  written(taskIds: ReadonlySet<string>): void {
    for (const entry of this.#waiting) {
      for (const id of entry.taskIds) {
        if (!taskIds.has(id)) continue;
        entry.wake();
        break;
      }
    }
  }

  wait(taskIds: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const entry = {
        taskIds,
        wake: (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', entry.wake);
          this.#waiting.delete(entry);
          resolve();
        },
      };
      const timer = setTimeout(entry.wake, longestMs);
      if (signal.aborted) return entry.wake();
      signal.addEventListener('abort', entry.wake);
      this.#waiting.add(entry);
    });
  }
}
