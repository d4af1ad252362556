import { mergeLog } from '../../monitor/durable-log.ts';
import type { EventRow } from '../../monitor/run-reader.ts';
import { applyEvents, mergeRuns } from './apply-events.ts';
import { fieldOf } from './edit-text.ts';
import { askEngine, markStale, refresh, withFound } from './found-runs.ts';
import { onKey } from './on-key.ts';
import { isDurable, openRun } from './open-run.ts';
import { prefillText } from './trigger-keys.ts';
import type { OpenRun, Step, UiAction, UiState } from './ui-state.ts';

const keptLogLines = 2_000;
/** The rate is over this long. */
const rateWindowMs = 3_000;
const noticeMs = 4_000;

/** The whole UI as a function: what it is after something happened, and what the outside has to do about it. */
export function step(state: UiState, action: UiAction): Step {
  if (action.type === 'key') return askEngine(state, onKey(state, action.key));
  if (action.type === 'clock') return refresh(reduce(state, action));
  return [reduce(state, action), []];
}

function reduce(state: UiState, action: Exclude<UiAction, { type: 'key' }>): UiState {
  switch (action.type) {
    case 'resize':
      return { ...state, rows: action.rows, columns: action.columns };
    case 'clock':
      return { ...state, nowMs: action.nowMs, notice: state.notice !== undefined && action.nowMs - state.notice.atMs > noticeMs ? undefined : state.notice };
    case 'runs-listed':
      return { ...state, ...mergeRuns(state, action.rows), older: action.next };
    case 'runs-found':
      return withFound(state, action);
    case 'events':
      return markStale(afterRetries({ ...state, ...applyEvents(state, action.events) }, action.events), action.events.some((event) => event.type === 'RUN_CREATED'));
    case 'connection':
      return { ...state, connection: action.connection };
    case 'overview': {
      const recent = state.rate.filter((sample) => action.atMs - sample.atMs <= rateWindowMs);
      return { ...state, overview: action.overview, rate: [...recent, { atMs: action.atMs, finished: action.overview.finished }] };
    }
    case 'workers':
      return { ...state, workers: action.workers };
    case 'queues':
      return { ...state, queues: action.figures };
    case 'schedules':
      return { ...state, schedules: action.figures };
    case 'workflows':
      return { ...state, workflows: action.workflows };
    case 'workflow':
      return withWorkflow(state, action);
    case 'run-detail':
      return onRun(state, action.runId, (run) => ({ ...run, detail: action.detail, pane: !run.isChosen && isDurable(action) ? 'durable' : run.pane }));
    case 'run-missing':
      return onRun(state, action.runId, (run) => ({ ...run, missing: true }));
    case 'run-events':
      return onRun(state, action.runId, (run) => ({ ...run, events: [...run.events, ...action.events] }));
    case 'durable-log': {
      const { log } = action;
      return onRun(state, action.runId, (run) => ({ ...run, durable: new Map(run.durable).set(log.taskId, mergeLog(run.durable.get(log.taskId), log)) }));
    }
    case 'run-logs':
      return onRun(state, action.runId, (run) => ({ ...run, logs: [...run.logs, ...action.lines].slice(-keptLogLines) }));
    case 'notice':
      return { ...state, notice: { text: action.text, atMs: action.atMs } };
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
    dev: dev === undefined ? undefined : { ...dev, mismatches: dev.mismatches.filter((note) => !retried.has(note.runId)) },
    run: run !== undefined && retried.has(run.runId) ? { ...run, revision: run.revision + 1, events: [], logs: [] } : run,
  };
}

function onRun(state: UiState, runId: string, change: (run: OpenRun) => OpenRun): UiState {
  return state.run?.runId === runId ? { ...state, run: change(state.run) } : state;
}

/** An input that nobody has typed into yet gets the schema's shape, or else the newest run's input. */
function withWorkflow(state: UiState, { workflow, lastInput }: Extract<UiAction, { type: 'workflow' }>): UiState {
  const { name } = workflow.workflow;
  const lastInputs = lastInput === undefined ? state.lastInputs : new Map(state.lastInputs).set(name, lastInput);
  const next = { ...state, workflow, lastInputs };
  const { dialog } = state;
  if (dialog?.kind !== 'trigger' || dialog.isTyped || dialog.workflows[dialog.chosen] !== name) return next;
  return { ...next, dialog: { ...dialog, input: fieldOf(prefillText(next, name)) } };
}
