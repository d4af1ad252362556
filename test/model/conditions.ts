import { expressions } from './expressions.ts';
import type { ModelTask, Outcome } from './model-state.ts';

type Judgement = 'wait' | 'start' | 'skip' | 'cancel';

/** Three-valued logic: null is what is not known yet. */
const all = (values: (boolean | null)[]): boolean | null =>
  values.includes(false) ? false : values.includes(null) ? null : true;
const any = (values: (boolean | null)[]): boolean | null =>
  values.includes(true) ? true : values.includes(null) ? null : false;

/** What becomes of a task that has not started. Groups are AND-ed, members of a group are OR-ed. */
export function judge(task: ModelTask): Judgement {
  const parents = task.step.parents.map((index): Outcome | null => task.run.tasks[index]?.outcome ?? null);
  if (parents.some((end) => end?.status === 'failed' || end?.status === 'cancelled')) return 'cancel';
  if (parents.includes(null)) return 'wait';
  const { conditions } = task.step;
  const statesItsSkip = conditions.some((each) => each.action === 'SKIP' && each.kind === 'parent');
  if (!statesItsSkip && parents.length > 0 && parents.every((end) => end?.status === 'skipped')) return 'skip';

  const value = (action: string): boolean | null | undefined => {
    const groups = [...new Set(conditions.filter((each) => each.action === action).map((each) => each.group))];
    if (groups.length === 0) return undefined;
    return all(
      groups.map((group) =>
        any(
          conditions.flatMap((each, index) =>
            each.action === action && each.group === group ? [task.conditions[index] ?? null] : [],
          ),
        ),
      ),
    );
  };
  if (value('SKIP') === true) return 'skip';
  if (value('CANCEL') === true) return 'cancel';
  const starts = [value('CREATE'), value('QUEUE')].filter((each) => each !== undefined);
  if (starts.length === 0 || starts.includes(true)) return 'start';
  return [...starts, value('SKIP'), value('CANCEL')].includes(null) ? 'wait' : 'cancel';
}

/** A parent has completed or was skipped: what conditions on its output say now. */
export function noteParentsEnd(task: ModelTask, parent: number): void {
  const end = task.run.tasks[parent]?.outcome;
  if (end?.status !== 'completed' && end?.status !== 'skipped') return;
  for (const [index, each] of task.step.conditions.entries()) {
    if (each.kind !== 'parent' || each.parent !== parent || task.conditions[index] !== null) continue;
    task.conditions[index] = end.status === 'skipped' ? each.whenSkipped : expressions(each.expression, end.output);
  }
}

export function noteSleeps(task: ModelTask, now: number): void {
  for (const [index, each] of task.step.conditions.entries())
    if (each.kind === 'sleep' && task.since + each.ms * 1000 <= now) task.conditions[index] ??= true;
}

export interface ModelEvent {
  key: string;
  scope: string | null;
  payload: string;
}

export function listensFor(task: ModelTask, { key }: ModelEvent): boolean {
  return task.listening > 0 && task.step.conditions.some((each) => each.kind === 'event' && each.eventKey === key);
}

export function noteEvent(task: ModelTask, { key, scope, payload }: ModelEvent): void {
  for (const [index, each] of task.step.conditions.entries()) {
    if (
      each.kind !== 'event' ||
      each.eventKey !== key ||
      (each.scope !== null && each.scope !== scope) ||
      task.where === 'gone'
    )
      continue;
    if (task.conditions[index] === null && expressions(each.expression, payload)) task.conditions[index] = true;
  }
}
