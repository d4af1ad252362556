import { createContext, useCallback, useContext, useMemo, useRef, useState, type ReactNode } from 'react';
import { errorText } from '../data/refusal.ts';
import { Dialog } from './dialog.tsx';
import { Icon } from './icon.tsx';

export interface Question {
  title: string;
  text: string;
  /** What the button says, such as `Cancel 3 runs`. */
  action: string;
  /** Takes something away that does not come back by itself. */
  danger?: boolean;
}

interface Feedback {
  /** @returns whether the person said yes */
  ask: (question: Question) => Promise<boolean>;
  tell: (text: string) => void;
  /** Says why something was not done. */
  fail: (error: unknown) => void;
}

interface Notice {
  id: number;
  text: string;
  isBad: boolean;
}

const FeedbackContext = createContext<Feedback | undefined>(undefined);
const shownMs = 6_000;
const badShownMs = 15_000;

export function useFeedback(): Feedback {
  const feedback = useContext(FeedbackContext);
  if (feedback === undefined) throw new Error('nobody shows notices here');
  return feedback;
}

/** Questions before what cannot be taken back, and notices of what was done. */
export function FeedbackProvider({ children }: { children: ReactNode }): ReactNode {
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  const [asked, setAsked] = useState<{ question: Question; answer: (yes: boolean) => void }>();
  const next = useRef(0);
  const remove = useCallback((id: number) => setNotices((all) => all.filter((each) => each.id !== id)), []);
  const add = useCallback(
    (text: string, isBad: boolean) => {
      const id = next.current++;
      setNotices((all) => [...all.slice(-3), { id, text, isBad }]);
      setTimeout(() => remove(id), isBad ? badShownMs : shownMs);
    },
    [remove],
  );
  const feedback = useMemo<Feedback>(
    () => ({
      ask: (question) => new Promise((answer) => setAsked({ question, answer })),
      tell: (text) => add(text, false),
      fail: (error) => add(errorText(error), true),
    }),
    [add],
  );
  const answer = (yes: boolean): void => {
    asked?.answer(yes);
    setAsked(undefined);
  };
  return (
    <FeedbackContext value={feedback}>
      {children}
      {asked === undefined ? null : (
        <Dialog title={asked.question.title} onClose={() => answer(false)}>
          <p>{asked.question.text}</p>
          <div className="row end">
            <button
              type="button"
              data-first={asked.question.danger === true ? '' : undefined}
              onClick={() => answer(false)}
            >
              Keep as it is
            </button>
            <button
              type="button"
              className={asked.question.danger === true ? 'danger' : 'primary'}
              data-first={asked.question.danger === true ? undefined : ''}
              onClick={() => answer(true)}
            >
              {asked.question.action}
            </button>
          </div>
        </Dialog>
      )}
      <div className="notices">
        <div role="status" aria-live="polite">
          {notices
            .filter((notice) => !notice.isBad)
            .map((notice) => (
              <p key={notice.id} className="notice good">
                {notice.text}
              </p>
            ))}
        </div>
        <div role="alert">
          {notices
            .filter((notice) => notice.isBad)
            .map((notice) => (
              <p key={notice.id} className="notice bad row spread">
                <span>{notice.text}</span>
                <button type="button" className="quiet" aria-label="Dismiss" onClick={() => remove(notice.id)}>
                  <Icon name="close" />
                </button>
              </p>
            ))}
        </div>
      </div>
    </FeedbackContext>
  );
}
