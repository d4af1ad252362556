import { useEffect, useRef, type ReactNode } from 'react';
import { Link } from '../address/link.tsx';

/** Views of one thing, each with an address of its own. */
export function Tabs({
  label,
  tabs,
}: {
  label: string;
  tabs: readonly { href: string; name: string; isCurrent: boolean; count?: number | undefined }[];
}): ReactNode {
  const nav = useRef<HTMLElement>(null);
  const current = tabs.find(({ isCurrent }) => isCurrent)?.name;
  useEffect(() => {
    if (current === undefined) return;
    // On a narrow screen not all of them fit.
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [current]);
  return (
    <nav ref={nav} className="tabs" aria-label={label}>
      {tabs.map(({ href, name, isCurrent, count }) => (
        <Link key={href} href={href} aria-current={isCurrent ? 'page' : undefined}>
          {name}
          {count === undefined || count === 0 ? null : <span className="count">{count}</span>}
        </Link>
      ))}
    </nav>
  );
}
