import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();

function changed(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener('popstate', changed);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener('popstate', changed);
  };
}

function current(): string {
  return `${location.pathname}${location.search}`;
}

/** Path and query of the address bar, as they are and as they change. */
export function useAddress(): { path: string; query: URLSearchParams } {
  const at = useSyncExternalStore(subscribe, current);
  const url = new URL(at, location.origin);
  return { path: url.pathname, query: url.searchParams };
}

/** @param options `replace` leaves no step in the history: for what is typed, letter by letter */
export function navigate(href: string, options: { replace?: boolean } = {}): void {
  if (href === current()) return;
  if (options.replace === true) history.replaceState(null, '', href);
  else history.pushState(null, '', href);
  changed();
}
