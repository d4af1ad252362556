import { step } from './model/step.ts';
import type { UiAction, UiEffect, UiState } from './model/ui-state.ts';

/** Screens a second at most; what comes in between is drawn with the next. */
const frameMs = 33;

/** Holds the model: takes actions from feeds, keys and the session; tells the screen at a bounded rate. */
export class UiStore {
  #state: UiState;
  readonly #listeners = new Set<() => void>();
  #onEffect: (effect: UiEffect) => void = () => undefined;
  #shown: UiState;
  #timer: NodeJS.Timeout | undefined;

  constructor(state: UiState) {
    this.#state = state;
    this.#shown = state;
  }

  onEffect(handle: (effect: UiEffect) => void): void {
    this.#onEffect = handle;
  }

  readonly dispatch = (action: UiAction): void => {
    const [next, effects] = step(this.#state, action);
    this.#state = next;
    // A key and the mouse are answered at once; a stream of events must not redraw for each of them.
    if (action.type === 'key' || action.type === 'mouse' || action.type === 'resize') this.#show();
    else if (next !== this.#shown) this.#timer ??= setTimeout(() => this.#show(), frameMs);
    for (const effect of effects) this.#onEffect(effect);
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): UiState => this.#shown;

  get state(): UiState {
    return this.#state;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  #show(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#shown = this.#state;
    for (const listener of this.#listeners) listener();
  }
}
