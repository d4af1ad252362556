import type { ReactNode } from 'react';
import { errorText } from '../data/refusal.ts';

/** Where a list has nothing: why, and what to do. */
export function Empty({ title, children }: { title: string; children?: ReactNode }): ReactNode {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children === undefined ? null : <div className="muted">{children}</div>}
    </div>
  );
}

/** Holds the place of what is being read, so that nothing jumps. */
export function Skeleton({ lines = 6 }: { lines?: number }): ReactNode {
  return (
    <div className="skeleton" role="status" aria-busy="true" aria-label="Loading">
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} />
      ))}
    </div>
  );
}

export function Failed({ error, onRetry }: { error: Error; onRetry?: (() => void) | undefined }): ReactNode {
  return (
    <div className="notice bad row spread" role="alert">
      <span>{errorText(error)}</span>
      {onRetry === undefined ? null : (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
