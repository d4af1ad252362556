import type { ReactNode } from 'react';

/** How much of something is taken: a bar, and the figures that it stands for. */
export function Meter({ used, total, label }: { used: number; total: number; label: string }): ReactNode {
  const share = total <= 0 ? 0 : Math.min(1, used / total);
  return (
    <div
      className="meter"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={Math.min(used, total)}
      aria-valuetext={`${used} of ${total}`}
    >
      <span className="meter-track">
        <span className={share >= 1 ? 'meter-fill full' : 'meter-fill'} style={{ width: `${share * 100}%` }} />
      </span>
      <span className="figure">
        {used}/{total}
      </span>
    </div>
  );
}
