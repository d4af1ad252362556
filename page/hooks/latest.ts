import { useLayoutEffect, useRef, type RefObject } from 'react';

/** The value of the newest render, for what was started by an older one. */
export function useLatest<T>(value: T): RefObject<T> {
  const latest = useRef(value);
  useLayoutEffect(() => {
    latest.current = value;
  });
  return latest;
}
