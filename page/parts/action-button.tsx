import { useState, type ReactNode } from 'react';
import type { Permission } from '../model/role.ts';
import { usePermission } from '../session/session.ts';
import { useFeedback, type Question } from './feedback.tsx';

/** Does something at the engine: asks first where that is wanted, and says what came of it. */
export function ActionButton({
  needs,
  onAction,
  question,
  children,
  className,
  disabled = false,
  label,
}: {
  needs: Permission;
  /** @returns what to tell; nothing where the page shows it by itself */
  onAction: () => Promise<string | undefined>;
  question?: Question | undefined;
  children: ReactNode;
  className?: string;
  disabled?: boolean;
  label?: string;
}): ReactNode {
  const act = useAction();
  const [busy, setBusy] = useState(false);
  const { allowed, reason } = usePermission(needs);
  const press = (): void => {
    setBusy(true);
    void act({ question, onAction }).finally(() => setBusy(false));
  };
  return (
    <button
      type="button"
      className={className}
      disabled={disabled || busy || !allowed}
      title={reason}
      aria-label={label}
      onClick={press}
    >
      {children}
    </button>
  );
}

export interface Action {
  question?: Question | undefined;
  onAction: () => Promise<string | undefined>;
}

/** The same for what is begun by a key. */
export function useAction(): (action: Action) => Promise<void> {
  const { ask, tell, fail } = useFeedback();
  return async ({ question, onAction }) => {
    if (question !== undefined && !(await ask(question))) return;
    try {
      const text = await onAction();
      if (text !== undefined) tell(text);
    } catch (error) {
      fail(error);
    }
  };
}
