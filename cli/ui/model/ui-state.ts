import type { BulkDeed, BulkOutcome, BulkRun } from '../../admin/bulk-deed.ts';
import type { EngineTrouble } from '../../dev/trouble/engine-trouble.ts';
import type { Problem } from '../../dev/events.ts';
import type { DurableLogRow } from '../../monitor/durable-log-row.ts';
import type { QueueFigures } from '../../monitor/queue-rows.ts';
import type {
  EventRow,
  LogRow,
  MismatchRow,
  Overview,
  RunDetail,
  RunRow,
  WorkerRow,
  WorkflowDetail,
  WorkflowRow,
} from '../../monitor/run-reader.ts';
import type { ScheduleFigures } from '../../monitor/schedule-rows.ts';
import type { MouseReport } from '../input/mouse-reader.ts';

export const views = ['runs', 'workflows', 'workers', 'queues', 'schedules', 'logs'] as const;
export type ViewName = (typeof views)[number];

/** What the lower half of a run shows. */
export const panes = ['durable', 'events', 'logs', 'attempts', 'input', 'output', 'failure', 'why'] as const;
export type PaneName = (typeof panes)[number];

/** `f` goes through these. */
export const statusFilters = ['ALL', 'QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'EVICTED'] as const;
export type StatusFilter = (typeof statusFilters)[number];

/** Whose lines the logs show; `f` goes through these. */
export const logSources = ['all', 'engine', 'worker', 'session'] as const;
export type LogSource = (typeof logSources)[number];

export interface SourceLine {
  source: Exclude<LogSource, 'all'>;
  text: string;
}

export interface TextField {
  text: string;
  /** From 0 to the text's length. */
  cursor: number;
}

/** A name that is chosen by typing part of it, the JSON that goes with it and, of an event, the scope that it may have. */
export interface Form {
  kind: 'trigger' | 'event';
  /** Of workflows, or of event keys that workflows listen to. */
  names: readonly string[];
  /** Part of the name that is meant. */
  filter: TextField;
  /** Among what the filter lets through. */
  at: number;
  /** What takes the keys. */
  field: 'name' | 'value' | 'scope';
  value: TextField;
  /** Of an event; empty for none. */
  scope: TextField;
  error: string;
  /** By a key: a value that is known later does not replace it. */
  isTyped: boolean;
}

/** Asks whether to do it to many runs, shows how far it is, and how it went. */
export type BulkDialog = { kind: 'bulk'; deed: BulkDeed; runs: readonly BulkRun[] } & (
  | { stage: 'asking' }
  | { stage: 'doing'; handled: number; isStopping: boolean }
  | { stage: 'done'; outcome: BulkOutcome }
);

export type Dialog =
  | { kind: 'help'; scroll: number }
  | { kind: 'search' }
  /** Asks before it does something. */
  | { kind: 'confirm'; title: string; question: string; yes: string; no: string; effect: UiEffect }
  | BulkDialog
  /** The address of the page, for whom no browser was opened as for others. */
  | { kind: 'page'; url: string; isOpen: boolean }
  | Form;

export interface OpenRun {
  runId: string;
  detail: RunDetail | undefined;
  events: readonly EventRow[];
  logs: readonly LogRow[];
  /** Of the task that a key has chosen; null is the whole run. */
  task: string | null | undefined;
  /** What arrows move in. */
  focus: 'tasks' | 'pane';
  pane: PaneName;
  /** By a key, so that the pane stays whatever the run turns out to be. */
  isChosen: boolean;
  /** First line shown of the pane; null follows the end. */
  scroll: number | null;
  /** The logs of its durable tasks, by task. */
  durable: ReadonlyMap<string, DurableLogRow>;
  /** The selected node of them, as `nodeKey` names it; without one, what it waits for. */
  node: string | undefined;
  /** The node that it was opened for. */
  aim: number | undefined;
  /** The runs through which it was come to; esc goes back. */
  parents: readonly string[];
  /** Grows when the run is opened again after its end: its feeds end with it. */
  revision: number;
  missing: boolean;
}

/** A durable run whose log the present code does not fit. */
export interface MismatchNote extends MismatchRow {
  runId: string;
  workflow: string;
}

/** What a `hatchet dev` adds to the view of an engine. */
export interface DevStatus {
  stages: readonly { name: string; ms: number | null }[];
  /** Of the engine, which no worker can help. */
  trouble: EngineTrouble | undefined;
  /** Files that the worker itself writes and imports, so that it is not started again for them. */
  held: readonly string[];
  problems: readonly Problem[];
  typeProblems: readonly Problem[];
  worker: 'none' | 'starting' | 'serving' | 'crashed';
  /** How the worker ended, and its last lines. */
  crash: { text: string; lines: readonly string[] } | undefined;
  reloads: number;
  /** Oldest first. */
  mismatches: readonly MismatchNote[];
}

/** What the engine found for the filter and the search of the runs: they are over all runs, and only the newest are in memory. */
export interface FoundRuns {
  /** What was asked for. */
  key: string;
  rows: readonly RunRow[];
  /** Where more begin; null where these are all. */
  next: string | null;
  isLoading: boolean;
  /** Runs came since of which only the engine knows whether they fit. */
  isStale: boolean;
  atMs: number;
}

export interface UiState {
  rows: number;
  columns: number;
  view: ViewName;
  dialog: Dialog | undefined;
  /** All that is known, by id. */
  runs: ReadonlyMap<string, RunRow>;
  /** Ids, newest first. */
  order: readonly string[];
  /** Where older ones begin; null when all are here. */
  older: string | null;
  selected: string | undefined;
  filter: StatusFilter;
  found: FoundRuns | undefined;
  /** Runs that something is to be done to together, by id; they need not be in memory. */
  marks: ReadonlyMap<string, BulkRun>;
  /** While the engine is asked for all runs that the filter means. */
  marking: { found: number } | undefined;
  /** Of each view, what its rows must contain. */
  searches: Readonly<Record<ViewName, TextField>>;
  /** The selected row of each view but the runs, by id; the first where that is not there. */
  cursors: Readonly<Partial<Record<ViewName, string>>>;
  /** Where a list's cursor was put by a click: it stays in that row, or a second click would hit another one, until a key moves it. */
  clicked: { list: string; row: number } | undefined;
  /** Whether the terminal gives the mouse to the UI. */
  isMouseOn: boolean;
  run: OpenRun | undefined;
  workflows: readonly WorkflowRow[];
  workflow: WorkflowDetail | undefined;
  workers: readonly WorkerRow[];
  /** By id, also of workers that are gone. */
  workerNames: ReadonlyMap<string, string>;
  queues: QueueFigures | undefined;
  /** Why this engine has no queues to show. */
  withoutQueues: string | undefined;
  schedules: ScheduleFigures | undefined;
  overview: Overview | undefined;
  /** Runs that ended each second, newest last. */
  rate: readonly { atMs: number; finished: number }[];
  connection: 'connecting' | 'live' | 'lost';
  notice: { text: string; atMs: number } | undefined;
  dev: DevStatus | undefined;
  /** Lines of the engine, the worker and the session, in the order in which they came. */
  log: readonly SourceLine[];
  logSource: LogSource;
  /** First line of the logs that is shown; null follows the end. */
  logScroll: number | null;
  /** Of the newest runs by workflow, to prefill an input that has no schema. */
  lastInputs: ReadonlyMap<string, string>;
  nowMs: number;
}

/** What the outside has to do. */
export type UiEffect =
  | { type: 'quit' }
  | { type: 'interrupt' }
  | { type: 'suspend' }
  | { type: 'reload' }
  | { type: 'copy'; text: string }
  | { type: 'open-page' }
  | { type: 'cancel'; runId: string }
  /** A run, or a task with what follows it. */
  | { type: 'replay'; id: string }
  | { type: 'mark-all' }
  | { type: 'stop-marking' }
  | { type: 'bulk'; deed: BulkDeed; runs: readonly BulkRun[] }
  | { type: 'stop-bulk' }
  | { type: 'skip-sleep'; taskId: string; branch: number; node: number }
  | { type: 'branch'; taskId: string; branch: number; node: number }
  | { type: 'pause-workflow'; name: string; paused: boolean }
  | { type: 'enable-cron'; cronId: string; name: string; enabled: boolean }
  | { type: 'run-cron'; cronId: string; name: string }
  | { type: 'delete-cron'; cronId: string; name: string }
  | { type: 'run-schedule'; scheduleId: string }
  | { type: 'delete-schedule'; scheduleId: string }
  | { type: 'trigger'; workflow: string; input: string }
  | { type: 'push-event'; key: string; payload: string; scope: string | undefined }
  | { type: 'load-workflow'; name: string }
  | { type: 'load-workers' }
  | { type: 'load-older'; page: string }
  /** Without a page the first. */
  | { type: 'find-runs'; key: string; page: string | undefined };

export interface Key {
  input: string;
  name:
    | 'up'
    | 'down'
    | 'left'
    | 'right'
    | 'enter'
    | 'escape'
    | 'tab'
    | 'backspace'
    | 'delete'
    | 'home'
    | 'end'
    | 'pageUp'
    | 'pageDown'
    | undefined;
  ctrl: boolean;
  meta: boolean;
  shift: boolean;
}

export type UiAction =
  | { type: 'key'; key: Key }
  | { type: 'mouse'; report: MouseReport }
  | { type: 'resize'; rows: number; columns: number }
  | { type: 'clock'; nowMs: number }
  | { type: 'runs-listed'; rows: readonly RunRow[]; next: string | null }
  | { type: 'runs-found'; key: string; page: string | undefined; rows: readonly RunRow[]; next: string | null }
  /** Undefined where it has failed. */
  | { type: 'marking'; found: number | undefined }
  | { type: 'runs-marked'; runs: readonly BulkRun[] }
  | { type: 'bulk-progress'; handled: number }
  | { type: 'bulk-done'; outcome: BulkOutcome }
  | { type: 'events'; events: readonly EventRow[] }
  | { type: 'connection'; connection: UiState['connection'] }
  | { type: 'overview'; overview: Overview; atMs: number }
  | { type: 'workers'; workers: readonly WorkerRow[] }
  | { type: 'worker-names'; names: ReadonlyMap<string, string> }
  | { type: 'queues'; figures: QueueFigures }
  | { type: 'without-queues'; text: string }
  | { type: 'schedules'; figures: ScheduleFigures }
  | { type: 'workflows'; workflows: readonly WorkflowRow[] }
  | { type: 'workflow'; workflow: WorkflowDetail; lastInput: string | undefined }
  | { type: 'run-detail'; runId: string; detail: RunDetail }
  | { type: 'run-missing'; runId: string }
  | { type: 'run-events'; runId: string; events: readonly EventRow[] }
  | { type: 'durable-log'; runId: string; log: DurableLogRow }
  | { type: 'run-logs'; runId: string; lines: readonly LogRow[] }
  | { type: 'notice'; text: string; atMs: number }
  | { type: 'page'; url: string; isOpen: boolean }
  /** By a key here: it is what is looked at next. */
  | { type: 'triggered'; runId: string; workflow: string; atMs: number }
  | { type: 'open-run'; runId: string }
  | { type: 'log-lines'; lines: readonly SourceLine[] }
  | { type: 'dev'; dev: Partial<DevStatus> };

export type Step = readonly [state: UiState, effects: readonly UiEffect[]];

const noText: TextField = { text: '', cursor: 0 };

export function initialState(
  size: { rows: number; columns: number },
  options: { isDev: boolean; nowMs: number },
): UiState {
  return {
    ...size,
    view: 'runs',
    dialog: undefined,
    runs: new Map(),
    order: [],
    older: null,
    selected: undefined,
    filter: 'ALL',
    found: undefined,
    marks: new Map(),
    marking: undefined,
    searches: { runs: noText, workflows: noText, workers: noText, queues: noText, schedules: noText, logs: noText },
    cursors: {},
    clicked: undefined,
    isMouseOn: true,
    run: undefined,
    workflows: [],
    workflow: undefined,
    workers: [],
    workerNames: new Map(),
    queues: undefined,
    withoutQueues: undefined,
    schedules: undefined,
    overview: undefined,
    rate: [],
    connection: 'connecting',
    notice: undefined,
    dev: options.isDev
      ? {
          stages: [],
          trouble: undefined,
          held: [],
          problems: [],
          typeProblems: [],
          worker: 'none',
          crash: undefined,
          reloads: 0,
          mismatches: [],
        }
      : undefined,
    log: [],
    logSource: 'all',
    logScroll: null,
    lastInputs: new Map(),
    nowMs: options.nowMs,
  };
}
