import { plainText } from '../../../output/plain-text.ts';
import { wrapWords } from '../../../output/wrap-text.ts';
import { dialogRoom } from '../frame.ts';
import type { Dialog, UiState } from '../ui-state.ts';
import { bulkTexts } from './bulk-dialog.ts';
import { formLines } from './form-lines.ts';
import { helpLines } from './help.ts';
import { fieldSpans, type SpanLine } from './spans.ts';

/** What a dialog says. One without a title has no frame. */
export interface DialogContent {
  title: string | undefined;
  lines: readonly SpanLine[];
}

/** Cells of a frame and the space inside it, left and right together. */
export const frameWidth = 4;
const frameHeight = 2;

type Sized = Pick<UiState, 'rows' | 'columns' | 'dev' | 'view' | 'searches'>;

export function dialogContent(state: Sized, dialog: Dialog): DialogContent {
  const width = state.columns - frameWidth;
  const height = Math.max(1, dialogRoom(state) - frameHeight);
  switch (dialog.kind) {
    case 'help': {
      const lines = helpLines(width);
      const start = Math.min(dialog.scroll, Math.max(0, lines.length - height));
      return {
        title: lines.length > height ? `Keys ${start + 1}–${start + height} of ${lines.length}, ↓ for more` : 'Keys',
        lines: lines.slice(start, start + height),
      };
    }
    case 'search':
      return {
        title: undefined,
        lines: [[{ text: ' search: ' }, ...fieldSpans(state.searches[state.view], state.columns - 10)]],
      };
    case 'confirm':
      return asked(
        { title: dialog.title, lines: [dialog.question], keys: `y ${dialog.yes}, n ${dialog.no}` },
        { width, height },
      );
    case 'page':
      return asked(pageTexts(dialog), { width, height });
    case 'bulk':
      return asked(bulkTexts(dialog), { width, height });
    case 'trigger':
    case 'event':
      return {
        title: dialog.kind === 'trigger' ? 'Trigger a workflow' : 'Push an event',
        lines: formLines(dialog, { width, height }),
      };
  }
}

function pageTexts({ url, isOpen }: Extract<Dialog, { kind: 'page' }>): Parameters<typeof asked>[0] {
  return {
    title: 'The page',
    lines: [
      isOpen
        ? 'It is open in your browser. Should you not see it, open this address within a minute:'
        : 'Open this address in your browser within a minute; it signs you in once:',
      url,
    ],
    keys: 'y copies the address, any other key closes this',
  };
}

/** The keys stay in sight, however long what is asked is. */
function asked(
  { title, lines, keys }: { title: string; lines: readonly string[]; keys: string },
  { width, height }: { width: number; height: number },
): DialogContent {
  const texts = lines.flatMap((line) => wrapWords(plainText(line), width)).slice(0, Math.max(1, height - 1));
  return {
    title,
    lines: [...texts.map((text) => [{ text }]), [{ text: keys, style: 'bold' as const }]].slice(-height),
  };
}

/** The last place that the help can be scrolled to. */
export function helpEnd(state: Sized): number {
  return Math.max(0, helpLines(state.columns - frameWidth).length - Math.max(1, dialogRoom(state) - frameHeight));
}

/** Lines that the dialog takes. */
export function dialogRows(state: Sized & Pick<UiState, 'dialog'>): number {
  if (state.dialog === undefined) return 0;
  const { title, lines } = dialogContent(state, state.dialog);
  return lines.length + (title === undefined ? 0 : frameHeight);
}
