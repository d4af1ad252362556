import { runFailure, runOutput } from '../../../monitor/run-output.ts';
import type { RunDetail, TaskRow } from '../../../monitor/run-reader.ts';
import { isTerminal } from '../../../status-name.ts';
import { causeText } from '../../../output/cause-text.ts';
import { eventLine, logLineText, timeOfDay } from '../../../output/event-line.ts';
import { leftOutLines } from '../../../output/left-out.ts';
import { jsonText, plainLines } from '../../../output/plain-text.ts';
import { spanText } from '../../../output/time-text.ts';
import { wrapText, wrapWords } from '../../../output/wrap-text.ts';
import type { OpenRun, UiState } from '../ui-state.ts';
import { attemptsOf } from './attempts.ts';
import { chosenTask } from './chosen-task.ts';

type Shown = Pick<UiState, 'columns' | 'workers' | 'workerNames' | 'nowMs'>;

interface Asked {
  run: OpenRun;
  columns: number;
  names: unknown;
  /** Only where the text tells how long ago something was. */
  nowMs: number;
}

/** A key and its frame ask several times for the same text, which may be of megabytes. */
let last: { of: Asked; lines: readonly string[] } | undefined;

/** What an open run's pane says: of the chosen task, or of the whole run. The durable pane is drawn by a view of its own. */
export function paneLines(state: Shown, run: OpenRun): readonly string[] {
  const of: Asked = {
    run,
    columns: state.columns,
    names: state.workerNames,
    nowMs: run.pane === 'attempts' ? state.nowMs : 0,
  };
  if (
    last?.of.run === of.run &&
    last.of.columns === of.columns &&
    last.of.names === of.names &&
    last.of.nowMs === of.nowMs
  )
    return last.lines;
  last = { of, lines: linesOf(state, run) };
  return last.lines;
}

function linesOf(state: Shown, run: OpenRun): readonly string[] {
  const { detail } = run;
  if (detail === undefined) return [];
  const task = chosenTask(run);
  // The task of a run of one is the run.
  const only = detail.tasks.length > 1 ? task : undefined;
  const wrapped = (texts: readonly string[]): string[] => {
    const text = texts.filter((each) => each !== '').join('\n');
    return text === '' ? [] : wrapText(plainLines(text), state.columns - 2);
  };
  const shown: RunDetail = only === undefined ? detail : { ...detail, tasks: [only] };
  switch (run.pane) {
    case 'durable':
      return [];
    case 'events':
      return run.events
        .filter((event) => only === undefined || event.taskId === only.taskId || event.task === '')
        .map((event) => eventLine(event));
    case 'logs':
      return run.logs.filter((line) => only === undefined || line.taskId === only.taskId).map(logLineText);
    case 'attempts':
      return wrapped(
        shown.tasks.flatMap((each) => attemptLines(state, run, { task: each, isNamed: shown.tasks.length > 1 })),
      );
    case 'input':
      return wrapped([jsonText(detail.input, 2), ...leftOutLines({ ...detail, tasks: [] })]);
    case 'output':
      return wrapped([outputText(shown, only), ...leftOutLines({ ...withoutInput(shown) })]);
    case 'failure':
      return wrapped([failureText(shown), ...leftOutLines({ ...withoutInput(shown) })]);
    case 'why':
      return plainLines(whyText(shown, only))
        .split('\n')
        .flatMap((line) => (line === '' ? [] : wrapWords(line, state.columns - 2)));
  }
}

function withoutInput({ run, tasks }: RunDetail): RunDetail {
  return { run, tasks, input: null };
}

/** A line for each stay on a worker, and its whole error beneath. */
function attemptLines(
  { workers, workerNames, nowMs }: Shown,
  run: OpenRun,
  { task, isNamed }: { task: TaskRow; isNamed: boolean },
): string[] {
  const attempts = attemptsOf(run.events, task.taskId);
  const nameOf = (id: string): string =>
    workers.find(({ workerId }) => workerId === id)?.name ??
    workerNames.get(id) ??
    (task.workerId === id ? task.workerName : null) ??
    id;
  const lines = attempts.flatMap(({ number, workerId, startedAt, endedAt, end, message }) => [
    `attempt ${number}${(task.retries ?? 0) > 0 ? ` of ${(task.retries ?? 0) + 1}` : ''}  ${end ?? 'RUNNING'}  ${timeOfDay(startedAt)} – ${endedAt === null ? '' : timeOfDay(endedAt)}  ${spanText(startedAt, endedAt, nowMs)}${workerId === null ? '' : `  on ${nameOf(workerId)}`}`,
    ...(message === '' ? [] : [message.replaceAll(/^/gm, '  ')]),
  ]);
  return [
    ...(isNamed ? [task.name] : []),
    ...(lines.length > 0 ? lines : ['no worker has had it yet']).map((line) =>
      isNamed ? line.replaceAll(/^/gm, '  ') : line,
    ),
  ];
}

/** What each unfinished task waits for. */
function whyText({ run, tasks }: RunDetail, only: TaskRow | undefined): string {
  if (only !== undefined && isTerminal(only.status)) return `It waits for nothing: ${only.name} is ${only.status}.`;
  if (isTerminal(run.status)) return `It waits for nothing: the run is ${run.status}.`;
  const causes = tasks.flatMap((task) => (task.cause === null ? [] : [`${task.name}: ${causeText(task.cause)}`]));
  return causes.length > 0
    ? causes.join('\n')
    : 'This engine does not tell what a run waits for. Its events say what became of each task.';
}

/** Each failed task's error whole, with what caused it. */
function failureText(detail: RunDetail): string {
  const failed = detail.tasks.filter(
    ({ status, errorMessage, errorStack }) => status === 'FAILED' || (errorMessage ?? errorStack ?? '') !== '',
  );
  if (failed.length === 0) return detail.run.status === 'FAILED' ? (detail.run.errorMessage ?? '') : '';
  const lines = failed.flatMap((task) => [
    // A task that is tried again has the error of the attempt before.
    task.status === 'FAILED' ? runFailure({ ...detail, tasks: [task] }) : `${task.name}: ${task.errorMessage ?? ''}`,
    ...(task.errorStack === null || task.errorStack === '' ? [] : [task.errorStack]),
  ]);
  return lines.join('\n\n');
}

function outputText(detail: RunDetail, only: TaskRow | undefined): string {
  const status = only?.status ?? detail.run.status;
  if (status === 'COMPLETED') return jsonText(runOutput(detail), 2);
  if (status === 'FAILED') return failureText(detail);
  const partial = detail.tasks.filter((task) => task.output !== null).map((task) => [task.name, task.output]);
  return partial.length === 0 ? '' : jsonText(Object.fromEntries(partial), 2);
}
