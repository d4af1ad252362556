import type { ReactNode } from 'react';
import { Link } from '../address/link.tsx';

/** Views of one thing, each with an address of its own. */
export function Tabs({
  label,
  tabs,
}: {
  label: string;
  tabs: readonly { href: string; name: string; isCurrent: boolean; count?: number | undefined }[];
}): ReactNode {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map(({ href, name, isCurrent, count }) => (
        <Link key={href} href={href} aria-current={isCurrent ? 'page' : undefined}>
          {name}
          {count === undefined || count === 0 ? null : <span className="count">{count}</span>}
        </Link>
      ))}
    </nav>
  );
}
