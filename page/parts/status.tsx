import type { ReactNode } from 'react';
import type { RunStatusName } from '../../cli/status-name.ts';
import { StatusIcon } from './icon.tsx';

/** A status by its mark, its name and its colour: colour is never all that tells. */
export function Status({ status }: { status: RunStatusName }): ReactNode {
  return (
    <span className={`status ${status.toLowerCase()}`}>
      <StatusIcon status={status} />
      {`${status.charAt(0)}${status.slice(1).toLowerCase()}`}
    </span>
  );
}
