import { useEffect, useState, type RefObject } from 'react';

export interface ScrollWindow {
  scrollTop: number;
  height: number;
}

/** Which part of a box is in sight, measured once a frame at most. */
export function useScrollWindow(box: RefObject<HTMLElement | null>): ScrollWindow {
  const [window, setWindow] = useState<ScrollWindow>({ scrollTop: 0, height: 800 });
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    let frame = 0;
    const measure = (): void => {
      frame = 0;
      const { scrollTop, clientHeight } = element;
      setWindow((before) =>
        before.scrollTop === scrollTop && before.height === clientHeight ? before : { scrollTop, height: clientHeight },
      );
    };
    const later = (): void => {
      if (frame === 0) frame = requestAnimationFrame(measure);
    };
    measure();
    element.addEventListener('scroll', later, { passive: true });
    const observer = new ResizeObserver(later);
    observer.observe(element);
    return () => {
      cancelAnimationFrame(frame);
      element.removeEventListener('scroll', later);
      observer.disconnect();
    };
  }, [box]);
  return window;
}
