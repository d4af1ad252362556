import { useSyncExternalStore } from 'react';

/** Of one stream, or of all that are open. */
export type ConnectionState =
  | { state: 'connecting' }
  | { state: 'live' }
  /** Nobody looks: streams of a page in the background are closed, since a browser allows a host only a few. */
  | { state: 'paused' }
  | { state: 'lost'; reason: string; nextTryAtMs: number };

const connecting: ConnectionState = { state: 'connecting' };
const live: ConnectionState = { state: 'live' };

/** The states of the streams that are open, and what they are together: as bad as the worst. */
class OpenStreams {
  readonly #states = new Map<object, ConnectionState>();
  readonly #listeners = new Set<() => void>();
  #together: ConnectionState = connecting;

  set(stream: object, state: ConnectionState): void {
    this.#states.set(stream, state);
    this.#update();
  }

  forget(stream: object): void {
    this.#states.delete(stream);
    this.#update();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly together = (): ConnectionState => this.#together;

  #update(): void {
    const states = [...this.#states.values()];
    const next =
      states.find(({ state }) => state === 'lost') ??
      states.find(({ state }) => state === 'paused') ??
      (states.some(({ state }) => state === 'live') ? live : connecting);
    if (next === this.#together) return;
    this.#together = next;
    for (const listener of this.#listeners) listener();
  }
}

export const openStreams = new OpenStreams();

export function useConnectionState(): ConnectionState {
  return useSyncExternalStore(openStreams.subscribe, openStreams.together);
}

/** Wakes all streams that wait for their next try. */
export const tryNow = new EventTarget();
