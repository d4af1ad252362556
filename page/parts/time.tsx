import type { ReactNode } from 'react';
import { msText, spanText } from '../../cli/output/time-text.ts';
import { countdownText, exactText, relativeText } from '../model/time-words.ts';
import { useNow } from './now.ts';

/** How long ago, with the exact time in its title. */
export function Ago({ at }: { at: string | null }): ReactNode {
  const nowMs = useNow();
  if (at === null) return <span className="muted">–</span>;
  return (
    <time dateTime={at} title={exactText(at)}>
      {relativeText(at, nowMs)}
    </time>
  );
}

/** Until when, counting down. */
export function Countdown({ at }: { at: string | null }): ReactNode {
  const nowMs = useNow();
  if (at === null) return <span className="muted">–</span>;
  return (
    <time dateTime={at} title={exactText(at)}>
      {countdownText(at, nowMs)}
    </time>
  );
}

/** From one time to another, or to now. */
export function Took({ from, to }: { from: string | null; to: string | null }): ReactNode {
  return to === null ? <Running from={from} /> : <>{from === null ? '–' : spanText(from, to)}</>;
}

function Running({ from }: { from: string | null }): ReactNode {
  const nowMs = useNow();
  if (from === null) return <span className="muted">–</span>;
  const ms = Math.max(0, nowMs - Date.parse(from));
  return <>{ms < 1_000 ? '< 1 s' : msText(Math.floor(ms / 1_000) * 1_000).replace('.0 s', ' s')}</>;
}
