import { expect, it } from 'vitest';
import { TasksUnderWay } from '../../../../cli/dev/trouble/tasks-under-way.ts';
import type { EventRow } from '../../../../cli/monitor/run-reader.ts';

function event(taskId: string, type: string, workerId: string | null = null): EventRow {
  return {
    cursor: '',
    time: null,
    runId: `run of ${taskId}`,
    workflow: 'flow',
    taskId,
    task: 'task',
    attempt: 0,
    type,
    status: 'RUNNING',
    message: '',
    workerId,
  };
}

it('knows which tasks are on which worker', () => {
  const tasks = new TasksUnderWay();
  const runs = (...workers: string[]): string[] => tasks.list(workers).map(({ runId }) => runId);
  tasks.note(event('a', 'ASSIGNED', 'one'));
  tasks.note(event('a', 'STARTED', 'one'));
  tasks.note(event('b', 'STARTED', 'two'));
  tasks.note(event('', 'RUN_CREATED'));
  tasks.note(event('a', 'TIMEOUT_REFRESHED'));
  expect(runs('one')).toEqual(['run of a']);
  expect(tasks.list()).toHaveLength(2);
  tasks.note(event('a', 'REASSIGNED', 'one'));
  tasks.note(event('b', 'FINISHED', 'two'));
  expect(tasks.list()).toEqual([]);
});
