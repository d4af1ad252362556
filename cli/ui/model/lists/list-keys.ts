import { fieldOf } from '../forms/edit-text.ts';
import { listRows } from '../layout.ts';
import { listItems, selectedIndex, selectedItem, workflowOf, type ListItem } from './list-items.ts';
import { moved, movement } from '../move.ts';
import { openRun } from '../run/open-run.ts';
import type { Dialog, Key, Step, UiEffect, UiState } from '../ui-state.ts';

/** Keys in a list that is not the runs'. */
export function inList(state: UiState, key: Key): Step {
  const items = listItems(state);
  const by = movement(key, listRows(state));
  if (by !== undefined && items.length > 0) {
    const to = items[moved(selectedIndex(state, items), by, items.length)];
    return [{ ...state, cursors: { ...state.cursors, [state.view]: to?.id } }, []];
  }
  if (key.name === 'escape') return [{ ...state, searches: { ...state.searches, [state.view]: fieldOf('') } }, []];
  const item = selectedItem(state);
  if (item === undefined) return [state, []];
  if (key.name === 'enter') return [openItem(state, item), []];
  switch (key.input) {
    case 'p':
      return pause(state, item);
    case 'n':
      return ask(state, runNow(item));
    case 'x':
      return remove(state, item);
    default:
      return [state, []];
  }
}

/** The runs of what is selected; a cron's last run. */
function openItem(state: UiState, item: ListItem): UiState {
  if (item.kind === 'cron' && item.row.lastRunId !== null) return { ...state, run: openRun(item.row.lastRunId) };
  const workflow = workflowOf(item);
  if (workflow === undefined) return state;
  return {
    ...state,
    view: 'runs',
    selected: undefined,
    filter: item.kind === 'queue' ? 'QUEUED' : 'ALL',
    searches: { ...state.searches, runs: fieldOf(workflow) },
  };
}

/** What stops work asks first; what lets it go on does not. */
function pause(state: UiState, item: ListItem): Step {
  if (item.kind === 'workflow') {
    const { name, paused } = item.row;
    const effect: UiEffect = { type: 'pause-workflow', name, paused: !paused };
    return paused
      ? [state, [effect]]
      : ask(state, {
          kind: 'confirm',
          title: 'Pause',
          question: `Pause ${name}? Its queued tasks wait until it is resumed.`,
          yes: 'pauses it',
          no: 'leaves it',
          effect,
        });
  }
  if (item.kind === 'cron') {
    const { cronId, name, enabled } = item.row;
    const effect: UiEffect = { type: 'enable-cron', cronId, name, enabled: !enabled };
    return enabled
      ? ask(state, {
          kind: 'confirm',
          title: 'Switch off',
          question: `Switch the cron ${name} off?`,
          yes: 'switches it off',
          no: 'leaves it on',
          effect,
        })
      : [state, [effect]];
  }
  return [state, []];
}

type Confirm = Extract<Dialog, { kind: 'confirm' }>;

function runNow(item: ListItem): Confirm | undefined {
  if (item.kind === 'cron') {
    const { cronId, name, workflow } = item.row;
    return {
      kind: 'confirm',
      title: 'Run now',
      question: `Run ${workflow} now, with the input of its cron ${name}?`,
      yes: 'runs it',
      no: 'waits for its tick',
      effect: { type: 'run-cron', cronId, name },
    };
  }
  if (item.kind === 'schedule') {
    const { scheduleId, workflow, dueAt } = item.row;
    return {
      kind: 'confirm',
      title: 'Run now',
      question: `Run ${workflow} now instead of at ${dueAt ?? ''}?`,
      yes: 'runs it',
      no: 'waits',
      effect: { type: 'run-schedule', scheduleId },
    };
  }
  return undefined;
}

function remove(state: UiState, item: ListItem): Step {
  if (item.kind === 'schedule') {
    const { scheduleId, workflow, dueAt } = item.row;
    return ask(state, {
      kind: 'confirm',
      title: 'Delete',
      question: `Delete the run of ${workflow} at ${dueAt ?? ''}?`,
      yes: 'deletes it',
      no: 'keeps it',
      effect: { type: 'delete-schedule', scheduleId },
    });
  }
  if (item.kind !== 'cron') return [state, []];
  const { cronId, name, workflow, isDeclared } = item.row;
  // Its workflow would make it again at the next registration.
  if (isDeclared)
    return [
      {
        ...state,
        notice: {
          text: `${workflow} declares this cron: take it out of the code, or switch it off with p.`,
          atMs: state.nowMs,
        },
      },
      [],
    ];
  return ask(state, {
    kind: 'confirm',
    title: 'Delete',
    question: `Delete the cron ${name} of ${workflow}?`,
    yes: 'deletes it',
    no: 'keeps it',
    effect: { type: 'delete-cron', cronId, name },
  });
}

function ask(state: UiState, dialog: Confirm | undefined): Step {
  return [dialog === undefined ? state : { ...state, dialog }, []];
}
