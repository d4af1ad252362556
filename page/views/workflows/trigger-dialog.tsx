import { createContext, useCallback, useContext, useState, type ReactNode } from 'react';
import { runHref } from '../../address/address.ts';
import { navigate } from '../../address/navigation.ts';
import { workflowDetail } from '../../data/figure-messages.ts';
import { useAnswer } from '../../hooks/use-answer.ts';
import { useWorkflows } from '../../hooks/use-workflows.ts';
import { Empty, Failed, Skeleton } from '../../parts/blank.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { useFeedback } from '../../parts/feedback.tsx';
import { useKeys } from '../../hooks/keys.ts';
import { TriggerForm } from './trigger-form.tsx';

export interface Trigger {
  /** Chosen in the dialog where it is left out. */
  workflow?: string;
  /** What to begin with, such as the input of a run that is triggered again. */
  input?: unknown;
  metadata?: unknown;
}

const TriggerContext = createContext<(trigger: Trigger) => void>(() => undefined);

/** @returns opens the dialog */
export function useTrigger(): (trigger: Trigger) => void {
  return useContext(TriggerContext);
}

export function TriggerProvider({ children }: { children: ReactNode }): ReactNode {
  const [open, setOpen] = useState<Trigger>();
  const show = useCallback((trigger: Trigger) => setOpen(trigger), []);
  const { tell } = useFeedback();
  useKeys({ t: () => show({}) }, 'page');
  return (
    <TriggerContext value={show}>
      {children}
      {open === undefined ? null : (
        <TriggerDialog
          trigger={open}
          onClose={() => setOpen(undefined)}
          onTriggered={(runId) => {
            setOpen(undefined);
            tell('Triggered.');
            navigate(runHref(runId));
          }}
        />
      )}
    </TriggerContext>
  );
}

function TriggerDialog({
  trigger,
  onClose,
  onTriggered,
}: {
  trigger: Trigger;
  onClose: () => void;
  onTriggered: (runId: string) => void;
}): ReactNode {
  const workflows = useWorkflows();
  const names = (workflows.value ?? []).map(({ name }) => name);
  const [picked, setPicked] = useState(trigger.workflow);
  const chosen = picked ?? names[0];
  const detail = useAnswer(chosen, async (calls, signal) =>
    workflowDetail(await calls.monitor('GetWorkflow', { name: chosen }, signal)),
  );
  return (
    <Dialog
      title={trigger.workflow === undefined ? 'Trigger a workflow' : `Trigger ${trigger.workflow}`}
      onClose={onClose}
      wide
    >
      {trigger.workflow !== undefined ? null : (
        <label className="field">
          <span>Workflow</span>
          <select value={chosen ?? ''} onChange={(event) => setPicked(event.target.value)}>
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      {workflows.value !== undefined && names.length === 0 && trigger.workflow === undefined ? (
        <Empty title="No workflow is registered">
          <p>Start a worker: it registers its workflows.</p>
        </Empty>
      ) : detail.error !== undefined ? (
        <Failed error={detail.error} onRetry={detail.reload} />
      ) : detail.value === undefined ? (
        <Skeleton />
      ) : (
        <TriggerForm
          key={detail.value.workflow.name}
          workflow={detail.value}
          input={trigger.workflow === detail.value.workflow.name ? trigger.input : undefined}
          metadata={trigger.metadata}
          onTriggered={onTriggered}
        />
      )}
    </Dialog>
  );
}
