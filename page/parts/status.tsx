import type { ReactNode } from 'react';
import { statusMark } from '../../cli/ui/model/status-mark.ts';
import type { RunStatusName } from '../../cli/status-name.ts';

/** A status by its mark, its name and its colour: colour is never all that tells. */
export function Status({ status }: { status: RunStatusName }): ReactNode {
  return (
    <span className={`status ${status.toLowerCase()}`}>
      <span className="mark" aria-hidden="true">
        {statusMark[status]}
      </span>
      {status.charAt(0)}
      {status.slice(1).toLowerCase()}
    </span>
  );
}
