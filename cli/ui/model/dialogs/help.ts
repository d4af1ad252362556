import { pad } from '../../../output/table.ts';
import { wrapWords } from '../../../output/wrap-text.ts';
import type { SpanLine } from './spans.ts';

/** Every key of the UI. */
export const help: readonly (readonly [keys: string, meaning: string])[] = [
  ['1 to 6, tab', 'runs, workflows, workers, queues, schedules, logs'],
  ['↑ ↓ j k, pages, g G', 'move'],
  ['enter, esc', 'open what is selected, go back'],
  ['/, f', 'search all runs (status:failed workflow:a since:1h key:value text); f: by status; in the logs: by source'],
  [
    'space, A',
    'mark a run, or all runs that the search and f mean; x and R then ask about all that are marked, esc takes the marks away',
  ],
  ['t', 'trigger a workflow: type to find it'],
  ['E', 'push an event: type to find a key, or a new one'],
  ['x', 'cancel a run, delete a cron or a schedule (asks)'],
  ['R', 'run again what has ended: a run, or of an open run the chosen task and what follows it (asks)'],
  ['↑ ↓ in a run', 'choose a task, or the whole run above them; enter: move in its pane, esc: back to the tasks'],
  ['e l a i o f w', 'events, logs, attempts, input, output, failure, why it waits: of the chosen task or of the run'],
  ['d', "a durable run's log: enter opens a child, b branches from a node (asks)"],
  ['s, m', 'skip a sleep; open a run that the code does not fit (hatchet dev)'],
  ['p', 'pause (asks) or resume a workflow, switch a cron off (asks) or on'],
  ['n', 'run a cron or a scheduled run now (asks)'],
  ['y', 'copy the id of what is selected'],
  ['O', 'open the page, which shows the same in a browser'],
  ['r', 'start the worker anew (hatchet dev)'],
  [
    'mouse, M',
    'the wheel scrolls, a click chooses, and on what is chosen it opens; M leaves the mouse to the terminal, to select text (with shift most terminals do that anyway), and brings it back',
  ],
  ['Ctrl+Z', 'suspend'],
  ['q, Ctrl+C', 'quit'],
];

const keysWidth = 21;
const narrowTo = 60;

export function helpLines(width: number): readonly SpanLine[] {
  return help.flatMap(([keys, meaning]): SpanLine[] => {
    if (width < narrowTo)
      return [[{ text: keys, style: 'bold' }], ...wrapWords(meaning, width - 2).map((text) => [{ text: `  ${text}` }])];
    return wrapWords(meaning, width - keysWidth).map((text, index) => [
      { text: pad(index === 0 ? keys : '', keysWidth), style: 'bold' },
      { text },
    ]);
  });
}
