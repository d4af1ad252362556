import { outcomeTexts, type BulkDeed, type BulkOutcome } from '../../../admin/bulk-deed.ts';
import { breakdown } from '../../../admin/bulk-runs.ts';
import { isTerminal } from '../../../status-name.ts';
import { amount } from '../../../output/amount.ts';
import type { BulkDialog, Key, Step, UiState } from '../ui-state.ts';

/** Asks whether to do it to all that are marked; undefined where none is. */
export function askBulk(state: UiState, deed: BulkDeed): Step | undefined {
  if (state.run !== undefined || state.view !== 'runs') return undefined;
  if (state.marking !== undefined)
    return [
      {
        ...state,
        notice: {
          text: `Runs are still being marked: ${amount(state.marking.found, 'run')} so far; esc stops it.`,
          atMs: state.nowMs,
        },
      },
      [],
    ];
  return state.marks.size === 0
    ? undefined
    : [{ ...state, dialog: { kind: 'bulk', deed, runs: [...state.marks.values()], stage: 'asking' } }, []];
}

/** Keys in the dialog. The marks are spent once it begins. */
export function inBulk(state: UiState, dialog: BulkDialog, key: Key): Step {
  const isNo = key.input === 'n' || key.name === 'escape';
  switch (dialog.stage) {
    case 'asking':
      if (key.input === 'y')
        return [
          { ...state, marks: new Map(), dialog: { ...dialog, stage: 'doing', handled: 0, isStopping: false } },
          [{ type: 'bulk', deed: dialog.deed, runs: dialog.runs }],
        ];
      return [isNo ? { ...state, dialog: undefined } : state, []];
    case 'doing':
      return isNo && !dialog.isStopping
        ? [{ ...state, dialog: { ...dialog, isStopping: true } }, [{ type: 'stop-bulk' }]]
        : [state, []];
    case 'done':
      return [
        isNo || key.name === 'enter' || key.input === 'q' || key.input === ' '
          ? { ...state, dialog: undefined }
          : state,
        [],
      ];
  }
}

export function withProgress(state: UiState, handled: number): UiState {
  const { dialog } = state;
  return dialog?.kind === 'bulk' && dialog.stage === 'doing' ? { ...state, dialog: { ...dialog, handled } } : state;
}

export function withOutcome(state: UiState, outcome: BulkOutcome): UiState {
  const { dialog } = state;
  return dialog?.kind === 'bulk' && dialog.stage === 'doing'
    ? { ...state, dialog: { kind: 'bulk', deed: dialog.deed, runs: dialog.runs, stage: 'done', outcome } }
    : state;
}

const words = {
  cancel: {
    title: 'Cancel',
    yes: 'cancels them',
    no: 'keeps them',
    doing: 'Cancelling',
    done: 'Cancelled',
    unfit: 'ended before, and stay as they are',
    unfitOne: 'ended before, and stays as it is',
  },
  replay: {
    title: 'Replay',
    yes: 'runs them again',
    no: 'leaves them',
    doing: 'Replaying',
    done: 'Replayed',
    unfit: 'have not ended, and go on as they are',
    unfitOne: 'has not ended, and goes on as it is',
  },
} as const;

/** What the dialog says; the last line is what keys do. */
export function bulkTexts(dialog: BulkDialog): { title: string; lines: readonly string[]; keys: string } {
  const { deed, runs } = dialog;
  const word = words[deed];
  const { title } = word;
  switch (dialog.stage) {
    case 'asking': {
      const unfit = runs.filter(({ status }) => isTerminal(status) === (deed === 'cancel')).length;
      const question = `${deed === 'cancel' ? 'Cancel' : 'Replay'} ${amount(runs.length, 'run')}? (${breakdown(runs)})`;
      return {
        title,
        lines: [
          question,
          ...(unfit === 0
            ? []
            : [`${unfit.toLocaleString('en-US')} of them ${unfit === 1 ? word.unfitOne : word.unfit}.`]),
        ],
        keys: `y ${word.yes}, n ${word.no}`,
      };
    }
    case 'doing':
      return {
        title,
        lines: [`${word.doing}: ${dialog.handled.toLocaleString('en-US')} of ${amount(runs.length, 'run')}`],
        keys: dialog.isStopping ? 'stopping …' : 'esc stops it',
      };
    case 'done':
      return {
        title,
        lines: [`${word.done} ${amount(dialog.outcome.done.length, 'run')}.`, ...outcomeTexts(dialog.outcome)],
        keys: 'enter closes',
      };
  }
}
