import type { EventRow, RunDetail, RunRow, TaskRow } from '../../../../cli/monitor/run-reader.ts';
import {
  initialState,
  type Key,
  type UiAction,
  type UiEffect,
  type UiState,
} from '../../../../cli/ui/model/ui-state.ts';
import { step } from '../../../../cli/ui/model/step.ts';

export const startMs = Date.parse('2030-01-01T00:00:00Z');

export function at(ms: number): string {
  return new Date(startMs + ms).toISOString();
}

export function runId(number: number): string {
  return `01980000-0000-7000-8000-${String(number).padStart(12, '0')}`;
}

export function makeRun(number: number, change: Partial<RunRow> = {}): RunRow {
  return {
    runId: runId(number),
    workflow: 'order',
    status: 'QUEUED',
    createdAt: at(number),
    startedAt: null,
    finishedAt: null,
    priority: 1,
    taskCount: 1,
    parentRunId: null,
    errorMessage: null,
    metadata: {},
    ...change,
  };
}

export function makeTask(name: string, change: Partial<TaskRow> = {}): TaskRow {
  return {
    taskId: `task-${name}`,
    name,
    status: 'QUEUED',
    parents: [],
    attempt: 0,
    retries: 0,
    workerId: null,
    workerName: null,
    output: null,
    errorMessage: null,
    errorStack: null,
    createdAt: at(0),
    queuedAt: null,
    startedAt: null,
    finishedAt: null,
    durable: false,
    liveState: '',
    cause: null,
    ...change,
  };
}

export function makeDetail(tasks: readonly TaskRow[], change: Partial<RunRow> = {}): RunDetail {
  return { run: makeRun(1, { taskCount: tasks.length, ...change }), input: { message: 'Hi' }, tasks };
}

let cursor = 0;

export function makeEvent(number: number, type: string, change: Partial<EventRow> = {}): EventRow {
  cursor++;
  return {
    cursor: String(cursor).padStart(10, '0'),
    time: at(cursor),
    runId: runId(number),
    workflow: 'order',
    taskId: type.startsWith('RUN_') ? '' : 'task-only',
    task: type.startsWith('RUN_') ? '' : 'only',
    attempt: 0,
    type,
    status: 'QUEUED',
    message: '',
    workerId: null,
    ...change,
  };
}

export function press(input: string, change: Partial<Key> = {}): UiAction {
  return { type: 'key', key: { input, name: undefined, ctrl: false, meta: false, shift: false, ...change } };
}

export function pressNamed(name: NonNullable<Key['name']>): UiAction {
  return press('', { name });
}

export function typed(text: string): UiAction[] {
  return text.split('').map((character) => press(character));
}

export function emptyState(change: Partial<UiState> = {}): UiState {
  return { ...initialState({ rows: 24, columns: 80 }, { isDev: false, nowMs: startMs + 60_000 }), ...change };
}

/** A state after actions, with all effects on the way. */
export function play(
  state: UiState,
  ...actions: readonly UiAction[]
): { state: UiState; effects: readonly UiEffect[] } {
  const effects: UiEffect[] = [];
  let current = state;
  for (const action of actions) {
    const [next, caused] = step(current, action);
    current = next;
    effects.push(...caused);
  }
  return { state: current, effects };
}
