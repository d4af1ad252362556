import type { ReactNode } from 'react';
import { useFeedback } from './feedback.tsx';

/** @returns puts a text onto the clipboard, and says so */
export function useCopy(): (text: string, what: string) => void {
  const { tell, fail } = useFeedback();
  return (text, what) => {
    // The clipboard is there on a secure origin alone, which loopback is.
    const clipboard: Clipboard | undefined = navigator.clipboard;
    if (clipboard === undefined) {
      fail(new Error('The browser gives no clipboard to a page without TLS. Select the text and copy it.'));
      return;
    }
    clipboard.writeText(text).then(() => tell(`Copied ${what}.`), fail);
  };
}

export function CopyButton({ text, what }: { text: string; what: string }): ReactNode {
  const copy = useCopy();
  return (
    <button type="button" className="quiet small" aria-label={`Copy ${what}`} onClick={() => copy(text, what)}>
      Copy
    </button>
  );
}
