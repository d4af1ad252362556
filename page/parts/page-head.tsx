import { useEffect, useRef, type ReactNode } from 'react';

/** A view's heading. It takes the focus when the view is opened, so that keys and screen readers begin there. */
export function PageHead({
  title,
  heading,
  children,
}: {
  /** In the browser's tab. */
  title: string;
  heading?: ReactNode;
  /** What can be done with the whole view. */
  children?: ReactNode;
}): ReactNode {
  const element = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // The first view of a page that was just loaded leaves the focus to the browser.
    if (hasOpened) element.current?.focus({ preventScroll: true });
    hasOpened = true;
  }, []);
  useEffect(() => {
    document.title = `${title} · Hatchet`;
  }, [title]);
  return (
    <header className="page-head row spread">
      <h1 ref={element} tabIndex={-1}>
        {heading ?? title}
      </h1>
      {children === undefined ? null : <div className="row actions">{children}</div>}
    </header>
  );
}

let hasOpened = false;
