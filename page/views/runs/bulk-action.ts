import type { Action } from '../../parts/action-button.tsx';

export type Deed = 'cancel' | 'replay';

/** Cancels or replays some runs, after a question. */
export function bulkAction(
  deed: Deed,
  ids: readonly string[],
  { carryOut, done }: { carryOut: (ids: readonly string[]) => Promise<number>; done?: () => void },
): Action {
  const runs = `${ids.length.toLocaleString('en')} ${ids.length === 1 ? 'run' : 'runs'}`;
  return {
    question:
      deed === 'cancel'
        ? {
            title: `Cancel ${runs}?`,
            text: 'Tasks that run are told to stop; those that wait never start. Runs that have ended stay as they are.',
            action: `Cancel ${runs}`,
            danger: true,
          }
        : {
            title: `Replay ${runs}?`,
            text: 'Their tasks run once more, with the same input. Runs that are not over are left alone.',
            action: `Replay ${runs}`,
          },
    onAction: async () => {
      const count = await carryOut(ids);
      done?.();
      if (count === 0) return deed === 'cancel' ? 'There was nothing to cancel.' : 'There was nothing to run again.';
      return deed === 'cancel' ? `Cancelling ${runs}.` : `Running ${runs} again.`;
    },
  };
}
