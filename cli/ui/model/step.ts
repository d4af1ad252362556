import { mergeLog } from '../../monitor/durable-log-row.ts';
import type { EventRow, RunDetail } from '../../monitor/run-reader.ts';
import { applyEvents, mergeRuns } from './runs/known-runs.ts';
import { withOutcome, withProgress } from './dialogs/bulk-dialog.ts';
import { askEngine, markStale, refresh, withFound } from './runs/ask-engine.ts';
import { followMarks, withMarked } from './runs/marks.ts';
import { onKey } from './on-key.ts';
import { onMouse } from './on-mouse.ts';
import { usualPane } from './run/open-run.ts';
import { firstScroll, openRun } from './run/open-run.ts';
import { withWorkflow } from './forms/form-keys.ts';
import type { OpenRun, Step, UiAction, UiState } from './ui-state.ts';

const keptLogLines = 2_000;
/** The rate is over this long. */
const rateWindowMs = 3_000;
const noticeMs = 4_000;

/** The whole UI as a function: what it is after something happened, and what the outside has to do about it. */
export function step(state: UiState, action: UiAction): Step {
  if (action.type === 'key') return askEngine(state, onKey(state, action.key));
  if (action.type === 'mouse') return askEngine(state, onMouse(state, action.report));
  if (action.type === 'clock') return refresh(reduce(state, action));
  return [reduce(state, action), []];
}

function reduce(state: UiState, action: Exclude<UiAction, { type: 'key' | 'mouse' }>): UiState {
  switch (action.type) {
    case 'resize':
      return { ...state, rows: action.rows, columns: action.columns };
    case 'clock':
      return {
        ...state,
        nowMs: action.nowMs,
        notice: state.notice !== undefined && action.nowMs - state.notice.atMs > noticeMs ? undefined : state.notice,
      };
    case 'runs-listed':
      return { ...state, ...mergeRuns(state, action.rows), older: action.next };
    case 'runs-found':
      return withFound(state, action);
    case 'marking':
      return state.marking === undefined
        ? state
        : { ...state, marking: action.found === undefined ? undefined : { found: action.found } };
    case 'runs-marked':
      return withMarked(state, action.runs);
    case 'bulk-progress':
      return withProgress(state, action.handled);
    case 'bulk-done':
      return withOutcome(state, action.outcome);
    case 'events':
      return markStale(
        afterRetries(
          { ...state, ...applyEvents(state, action.events), marks: followMarks(state.marks, action.events) },
          action.events,
        ),
        action.events.some((event) => event.type === 'RUN_CREATED'),
      );
    case 'connection':
      return { ...state, connection: action.connection };
    case 'overview': {
      const recent = state.rate.filter((sample) => action.atMs - sample.atMs <= rateWindowMs);
      return {
        ...state,
        overview: action.overview,
        rate: [...recent, { atMs: action.atMs, finished: action.overview.finished }],
      };
    }
    case 'workers':
      return { ...state, workers: action.workers };
    case 'worker-names':
      return { ...state, workerNames: action.names };
    case 'queues':
      return { ...state, queues: action.figures, withoutQueues: undefined };
    case 'without-queues':
      return { ...state, withoutQueues: action.text };
    case 'schedules':
      return { ...state, schedules: action.figures };
    case 'workflows':
      return { ...state, workflows: action.workflows };
    case 'workflow':
      return withWorkflow(state, action);
    case 'run-detail':
      return onRun(state, action.runId, (run) => withDetail(run, action.detail));
    case 'run-missing':
      return onRun(state, action.runId, (run) => ({ ...run, missing: true }));
    case 'run-events':
      return onRun(state, action.runId, (run) => ({ ...run, events: [...run.events, ...action.events] }));
    case 'durable-log': {
      const { log } = action;
      return onRun(state, action.runId, (run) => ({
        ...run,
        durable: new Map(run.durable).set(log.taskId, mergeLog(run.durable.get(log.taskId), log)),
      }));
    }
    case 'run-logs':
      return onRun(state, action.runId, (run) => ({
        ...run,
        logs: [...run.logs, ...action.lines].slice(-keptLogLines),
      }));
    case 'notice':
      return { ...state, notice: { text: action.text, atMs: action.atMs } };
    case 'page': // what somebody is in the middle of is not covered by it
      return state.dialog === undefined
        ? { ...state, dialog: { kind: 'page', url: action.url, isOpen: action.isOpen } }
        : state;
    case 'triggered':
      return {
        ...state,
        selected: action.runId,
        notice: { text: `triggered ${action.workflow}, run ${action.runId}`, atMs: action.atMs },
      };
    case 'open-run':
      return { ...state, view: 'runs', selected: action.runId, run: openRun(action.runId) };
    case 'log-lines':
      return { ...state, log: [...state.log, ...action.lines].slice(-keptLogLines) };
    case 'dev':
      return state.dev === undefined ? state : { ...state, dev: { ...state.dev, ...action.dev } };
    default: {
      const never: never = action;
      throw new Error(`an action without a case: ${JSON.stringify(never)}`);
    }
  }
}

/** A run that goes on after its end has been seen to; while it is open its feeds begin anew, and tell all of it again. */
function afterRetries(state: UiState, events: readonly EventRow[]): UiState {
  const retried = new Set(events.filter((event) => event.type === 'RETRIED_BY_USER').map((event) => event.runId));
  if (retried.size === 0) return state;
  const { dev, run } = state;
  return {
    ...state,
    dev:
      dev === undefined ? undefined : { ...dev, mismatches: dev.mismatches.filter((note) => !retried.has(note.runId)) },
    run:
      run !== undefined && retried.has(run.runId) ? { ...run, revision: run.revision + 1, events: [], logs: [] } : run,
  };
}

function withDetail(before: OpenRun, detail: RunDetail): OpenRun {
  const run = { ...before, detail };
  const pane = run.isChosen ? run.pane : usualPane(run);
  return pane === run.pane ? run : { ...run, pane, scroll: firstScroll(run, pane) };
}

function onRun(state: UiState, runId: string, change: (run: OpenRun) => OpenRun): UiState {
  return state.run?.runId === runId ? { ...state, run: change(state.run) } : state;
}
