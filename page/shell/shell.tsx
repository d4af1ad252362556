import { useRef, useState, type ReactNode } from 'react';
import { Link } from '../address/link.tsx';
import { useConnectionState } from '../data/connection-state.ts';
import { goKeys } from '../model/key-chords.ts';
import { useSession } from '../session/session.ts';
import { HelpDialog } from './help-dialog.tsx';
import { useGlobalKeys, useKeys } from '../hooks/keys.ts';
import { StatusBar } from './status-bar.tsx';
import { ThemeSwitch } from './theme.tsx';
import { ButtonKey, Icon, type IconName } from '../parts/icon.tsx';

const icons: Readonly<Record<string, IconName>> = {
  '/runs': 'running',
  '/workflows': 'workflows',
  '/workers': 'workers',
  '/queues': 'queues',
  '/schedules': 'schedules',
  '/events': 'events',
  '/webhooks': 'webhooks',
  '/dead-letters': 'letters',
  '/audit': 'audit',
};

/** What surrounds every view: where one can go, how the engine is, and the keys. */
export function Shell({ path, children }: { path: string; children: ReactNode }): ReactNode {
  const { role, signOut } = useSession();
  const [help, setHelp] = useState(false);
  const [menu, setMenu] = useState(false);
  const menuButton = useRef<HTMLButtonElement>(null);
  const isStale = useConnectionState().state === 'lost';
  useGlobalKeys();
  useKeys(
    {
      '?': () => setHelp(true),
      '/': focusFilter,
      Escape: menu
        ? () => {
            setMenu(false);
            menuButton.current?.focus();
          }
        : undefined,
    },
    'page',
  );
  const places = Object.entries(goKeys).filter(([, { href }]) => href !== '/audit' || role === 'admin');
  return (
    <div className="shell" data-stale={isStale}>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="side">
        <div className="row spread brand">
          <Link href="/runs" className="logo">
            <Icon name="logo" /> Hatchet
          </Link>
          <button
            ref={menuButton}
            type="button"
            className="menu-button"
            aria-expanded={menu}
            aria-controls="places"
            onClick={() => setMenu(!menu)}
          >
            Menu
          </button>
        </div>
        <div id="places" className={menu ? 'places open' : 'places'}>
          <nav aria-label="Views">
            <ul>
              {places.map(([keys, { href, name }]) => (
                <li key={href}>
                  <Link
                    href={href}
                    aria-current={isAt(path, href) ? 'page' : undefined}
                    title={`${name} (${keys})`}
                    onClick={() => setMenu(false)}
                  >
                    <Icon name={icons[href] ?? 'dot'} />
                    {name}
                  </Link>
                </li>
              ))}
            </ul>
          </nav>
          <div className="side-foot stack">
            <ThemeSwitch />
            <button type="button" className="quiet" onClick={() => setHelp(true)}>
              Keys <ButtonKey name="?" />
            </button>
            <button type="button" className="quiet" onClick={() => signOut()}>
              Sign out
            </button>
          </div>
        </div>
      </header>
      <div className="content">
        <StatusBar />
        <main id="main">{children}</main>
      </div>
      {help ? <HelpDialog onClose={() => setHelp(false)} /> : null}
    </div>
  );
}

function isAt(path: string, href: string): boolean {
  return path === href || path.startsWith(`${href}/`) || (path === '/' && href === '/runs');
}

function focusFilter(): void {
  const field = document.querySelector<HTMLInputElement>('[data-filter]');
  field?.focus();
  field?.select();
}
