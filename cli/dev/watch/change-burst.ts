import type { Emit } from '../events.ts';

/** Editors write a file in several steps, and a checkout writes many: one change is what comes within this time. */
const quietMs = 60;

/** Gathers changed files until none has come for a moment, and tells of them once. */
export class ChangeBurst {
  readonly #emit: Emit;
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  add(path: string): void {
    this.#changed.add(path);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const paths = [...this.#changed];
      this.#changed.clear();
      this.#emit({ type: 'files-changed', paths });
    }, quietMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
