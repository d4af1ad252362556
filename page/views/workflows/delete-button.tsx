import type { ReactNode } from 'react';
import type { WorkflowRow } from '../../../cli/monitor/run-reader.ts';
import { navigate } from '../../address/navigation.ts';
import { ActionButton } from '../../parts/action-button.tsx';
import { useCalls } from '../../session/session.ts';

/** Ends a workflow; its runs stay to be read. */
export function DeleteButton({ workflow: { name, workflowId } }: { workflow: WorkflowRow }): ReactNode {
  const calls = useCalls();
  return (
    <ActionButton
      needs="admin"
      question={{
        title: `Delete ${name}?`,
        text: 'Nothing starts it any more, its crons, scheduled runs and filters are deleted, and what is queued of it is cancelled. Runs that have begun go on. A worker that registers it brings it back.',
        action: 'Delete',
        danger: true,
      }}
      onAction={async () => {
        await calls.rest('DELETE /api/v1/workflows/:workflow', { parts: { workflow: workflowId } });
        navigate('/workflows');
        return `${name} is deleted.`;
      }}
    >
      Delete
    </ActionButton>
  );
}
