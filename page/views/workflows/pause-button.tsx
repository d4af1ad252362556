import type { ReactNode } from 'react';
import type { WorkflowRow } from '../../../cli/monitor/run-reader.ts';
import { ActionButton } from '../../parts/action-button.tsx';
import { useCalls } from '../../session/session.ts';
import { Icon } from '../../parts/icon.tsx';

export function PausedMark({ paused }: { paused: boolean }): ReactNode {
  return paused ? (
    <span className="state warn">
      <Icon name="pause" /> Paused
    </span>
  ) : (
    <span className="state ok">
      <Icon name="play" /> Active
    </span>
  );
}

/** While a workflow is paused its queued tasks wait. */
export function PauseButton({ workflow, onDone }: { workflow: WorkflowRow; onDone: () => void }): ReactNode {
  const calls = useCalls();
  const { paused, name, workflowId } = workflow;
  return (
    <ActionButton
      needs="admin"
      question={
        paused
          ? undefined
          : {
              title: `Pause ${name}?`,
              text: 'Tasks that run go on. Its queued tasks, crons and scheduled runs wait until you resume it.',
              action: 'Pause',
            }
      }
      onAction={async () => {
        await calls.rest('PATCH /api/v1/workflows/:workflow', {
          parts: { workflow: workflowId },
          body: { pause: { action: paused ? 'unpause' : 'pause' } },
        });
        onDone();
        return paused ? `${name} goes on.` : `${name} is paused.`;
      }}
    >
      {paused ? 'Resume' : 'Pause'}
    </ActionButton>
  );
}
