import { describe, expect, it } from 'vitest';
import { durableLogOf } from '../../../../../cli/monitor/rest/durable-log-of.ts';
import { changesOf, seenRun, seenRunAt } from '../../../../../cli/monitor/rest/run-changes.ts';
import { runDetail, runRow } from '../../../../../cli/monitor/rest/run-rows.ts';
import type { RunDetailsShape, RunShape, TaskShape } from '../../../../../cli/monitor/rest/rest-shapes.ts';
import { failureOf } from '../../../../../cli/monitor/rest/stored-values.ts';

const at = (second: number): string => `2030-01-01T00:00:${String(second).padStart(2, '0')}.000Z`;

function task(id: string, change: Partial<TaskShape> = {}): TaskShape {
  return {
    metadata: { id, createdAt: at(0) },
    taskExternalId: id,
    workflowRunExternalId: 'run',
    displayName: `${id}-1795946199168`,
    status: 'QUEUED',
    retryCount: 0,
    ...change,
  };
}

function run(change: Partial<RunShape> = {}): RunShape {
  return { ...task('run'), workflowName: 'order', ...change };
}

describe('what REST gives, as rows', () => {
  it('reads failures as JSON with their stack, and as plain text', () => {
    expect(failureOf('{"message":"no luck","stack":"Error: no luck\\n at x"}')).toEqual({
      message: 'no luck',
      stack: 'Error: no luck\n at x',
    });
    expect(failureOf('no luck')).toEqual({ message: 'no luck', stack: null });
    expect(failureOf('{"code":1}')).toEqual({ message: '{"code":1}', stack: null });
    expect(failureOf('')).toEqual({ message: null, stack: null });
  });

  it('tells an evicted run from a running one, and its parent by the metadata', () => {
    expect(runRow(run({ status: 'RUNNING', isEvicted: true })).status).toBe('EVICTED');
    expect(runRow(run({ status: 'COMPLETED', isEvicted: true })).status).toBe('COMPLETED');
    expect(
      runRow(run({ additionalMetadata: { hatchet__parent_workflow_run_id: 'p' }, parentTaskExternalId: 'pt' }))
        .parentRunId,
    ).toBe('p');
    expect(runRow(run({ parentTaskExternalId: 'pt' })).parentRunId).toBe('pt');
  });

  it('shows the tasks of a DAG in the order of its definition, also those that are not there yet', () => {
    const details: RunDetailsShape = {
      run: { metadata: { id: 'run', createdAt: at(0) }, status: 'RUNNING', displayName: 'order-1', input: { x: 1 } },
      tasks: [task('a', { status: 'COMPLETED', output: { a: 1 }, startedAt: at(1), finishedAt: at(2) })],
      taskEvents: [],
      shape: [
        {
          taskExternalId: '00000000-0000-0000-0000-000000000000',
          stepId: 'step-b',
          childrenStepIds: [],
          taskName: 'b',
        },
        { taskExternalId: 'a', stepId: 'step-a', childrenStepIds: ['step-b'], taskName: 'a' },
      ],
      workflowConfig: {
        Name: 'order',
        Tasks: [
          { ReadableId: 'a', Retries: 2 },
          { ReadableId: 'b', Parents: ['a'] },
        ],
      },
    };
    expect(
      runDetail(details, { workflow: 'order', workers: new Map([['a', { id: 'w', name: 'worker' }]]) }),
    ).toMatchObject({
      run: { runId: 'run', workflow: 'order', status: 'RUNNING', taskCount: 2 },
      input: { x: 1 },
      tasks: [
        {
          taskId: 'a',
          name: 'a',
          status: 'COMPLETED',
          retries: 2,
          output: { a: 1 },
          workerName: 'worker',
          parents: [],
        },
        { taskId: 'step-b', name: 'b', status: 'QUEUED', parents: ['a'], liveState: 'GATED', output: null },
      ],
    });
  });

  it('draws a durable log from what was asked and when it was satisfied', () => {
    const entry = { branchId: 1, insertedAt: at(0), taskExternalId: 't' };
    const log = durableLogOf('t', 'nap', [
      {
        ...entry,
        nodeId: 2,
        kind: 'RUN',
        waitData: [{ kind: 'CHILD_WORKFLOW', workflowName: 'pay' }],
        isSatisfied: false,
      },
      {
        ...entry,
        nodeId: 1,
        kind: 'WAIT_FOR',
        waitData: [
          {
            kind: 'SLEEP',
            or: [
              { kind: 'SLEEP', sleepDurationMs: 60_000 },
              { kind: 'USER_EVENT', eventKey: 'go' },
            ],
          },
        ],
        isSatisfied: true,
        satisfiedAt: at(3),
      },
      { ...entry, branchId: 2, nodeId: 2, kind: 'MEMO', isSatisfied: true, satisfiedAt: at(4) },
    ]);
    expect(log.nodes.map(({ node, branch, asked, satisfiedAt }) => [branch, node, asked, satisfiedAt])).toEqual([
      [1, 1, 'sleep 1 m 0 s or event "go"', at(3)],
      [1, 2, 'run pay', null],
      [2, 2, 'memo', at(4)],
    ]);
    expect(log.branches).toMatchObject([{ branch: 2, parent: 1, firstNode: 2 }]);
  });
});

describe('what has become of a run between two looks', () => {
  const types = (now: RunShape, seen: ReturnType<typeof seenRunAt>): string[] =>
    changesOf(now, seen, at(59)).map((event) => event.type);
  const queued = run();
  const running = run({ status: 'RUNNING', startedAt: at(1) });
  const done = run({ status: 'COMPLETED', startedAt: at(1), finishedAt: at(2) });
  const failed = run({ status: 'FAILED', startedAt: at(1), finishedAt: at(2), errorMessage: '{"message":"no luck"}' });

  it('is told as its transitions, each once', () => {
    expect(types(queued, undefined)).toEqual(['RUN_CREATED', 'QUEUED']);
    expect(types(done, undefined)).toEqual(['RUN_CREATED', 'QUEUED', 'STARTED', 'FINISHED', 'RUN_FINISHED']);
    expect(types(running, seenRun(queued))).toEqual(['STARTED']);
    expect(types(done, seenRun(queued))).toEqual(['STARTED', 'FINISHED', 'RUN_FINISHED']);
    expect(types(done, seenRun(done))).toEqual([]);
    expect(changesOf(failed, seenRun(running), at(59)).at(0)).toMatchObject({
      type: 'FAILED',
      message: 'no luck',
      time: at(2),
    });
    expect(types(run({ status: 'RUNNING', startedAt: at(3), retryCount: 1 }), seenRun(running))).toEqual([
      'RETRYING',
      'STARTED',
    ]);
  });

  it('opens a replayed run again, also one that has ended again meanwhile', () => {
    expect(types(queued, seenRun(failed))).toEqual(['RETRIED_BY_USER']);
    expect(types(run({ status: 'COMPLETED', startedAt: at(5), finishedAt: at(6) }), seenRun(failed))).toEqual([
      'RETRIED_BY_USER',
      'STARTED',
      'FINISHED',
      'RUN_FINISHED',
    ]);
  });

  it('says that a durable task has left its worker, and that it comes back', () => {
    const evicted = run({ status: 'RUNNING', isEvicted: true, startedAt: at(1) });
    expect(types(evicted, seenRun(running))).toEqual(['DURABLE_EVICTED']);
    expect(types(running, seenRun(evicted))).toEqual(['DURABLE_RESTORING']);
    expect(types(done, seenRun(evicted))).toEqual(['FINISHED', 'RUN_FINISHED']);
  });

  it('goes on from a time: what came later is told, what came before is not', () => {
    expect(types(done, seenRunAt(done, at(1)))).toEqual(['FINISHED', 'RUN_FINISHED']);
    expect(types(done, seenRunAt(done, at(0)))).toEqual(['STARTED', 'FINISHED', 'RUN_FINISHED']);
    expect(types(done, seenRunAt(done, at(2)))).toEqual([]);
    expect(seenRunAt(run({ metadata: { id: 'run', createdAt: at(9) } }), at(8))).toBeUndefined();
  });

  it('follows the tasks of a DAG', () => {
    const dag = (...children: TaskShape[]): RunShape => run({ status: 'RUNNING', startedAt: at(1), children });
    const first = task('a', { status: 'RUNNING', startedAt: at(1) });
    const ended = task('a', { status: 'COMPLETED', startedAt: at(1), finishedAt: at(2) });
    const second = task('b', { metadata: { id: 'b', createdAt: at(2) }, status: 'RUNNING', startedAt: at(3) });
    expect(
      changesOf(dag(ended, second), seenRun(dag(first)), at(59)).map(({ type, task: name }) => `${name} ${type}`),
    ).toEqual(['a FINISHED', 'b QUEUED', 'b STARTED']);
  });
});
