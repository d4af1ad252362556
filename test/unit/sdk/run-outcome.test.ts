import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StepRunResult } from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import { RunStatus, type GetRunDetailsResponse } from '../../../proto/gen/hatchet/contract/v1/workflows.ts';
import { RunCancelledError, RunFailedError } from '../../../sdk/errors.ts';
import { fromDetails, fromResults, outputJson } from '../../../sdk/run/run-outcome.ts';

function result(taskName: string, end: Pick<StepRunResult, 'output' | 'error'>): StepRunResult {
  return { taskName, taskRunExternalId: `${taskName}-id`, jobRunId: '', ...end };
}

function output(results: StepRunResult[], standalone?: string): unknown {
  return JSON.parse(outputJson('run', fromResults(results), standalone));
}

describe("a run's output", () => {
  it("is the task's own, or by task", () => {
    expect(output([result('a', { output: '{"n":1}' })], 'a')).toEqual({ n: 1 });
    expect(output([result('a', { output: 'null' })], 'a')).toBeNull();
    expect(output([result('a', { output: '{"n":1}' }), result('b', { output: '{"skipped":true}' })])).toEqual({
      a: { n: 1 },
      b: { skipped: true },
    });
  });

  it('reads back whatever tasks gave, under whatever names', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue(), { maxKeys: 5 }), (outputs) => {
        const results = Object.entries(outputs).map(([name, value]) => result(name, { output: JSON.stringify(value) }));
        expect(JSON.stringify(output(results))).toBe(JSON.stringify(JSON.parse(JSON.stringify(outputs))));
      }),
    );
  });

  it('is a failure with the message and stack of every failed task', () => {
    const results = [
      result('ok', { output: '{}' }),
      result('bad', { error: '{"message":"first","stack":"Error: first\\n at x"}' }),
      result('worse', { error: 'the task ran longer than 1s' }),
      result('after', { error: '' }),
    ];
    try {
      output(results);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(RunFailedError);
      expect(error).toMatchObject({
        code: 'RUN_FAILED',
        workflowRunId: 'run',
        message: 'first (and 1 more failed: worse)',
        errors: [
          { taskName: 'bad', taskRunExternalId: 'bad-id', message: 'first', stack: 'Error: first\n at x' },
          { taskName: 'worse', message: 'the task ran longer than 1s', stack: undefined },
        ],
      });
    }
  });

  it.each([{ error: '' }, {}, { output: '' }])('is a cancellation for a task that ended with %j', (end) => {
    expect(() => output([result('a', { output: '{}' }), result('b', end)])).toThrow(RunCancelledError);
    expect(() => output([result('b', end)])).toThrow(
      'the run run was cancelled. See why with `npx hatchet runs events run`; ',
    );
  });
});

describe('fromDetails', () => {
  const details = (done: boolean): GetRunDetailsResponse => ({
    input: Buffer.alloc(0),
    additionalMetadata: Buffer.alloc(0),
    status: RunStatus.FAILED,
    done,
    isEvicted: false,
    taskRuns: {
      a: {
        externalId: '1',
        readableId: 'a',
        status: RunStatus.COMPLETED,
        output: Buffer.from('{"é":1}'),
        isEvicted: false,
      },
      b: { externalId: '2', readableId: '', status: RunStatus.FAILED, error: 'why', isEvicted: false },
      c: { externalId: '3', readableId: 'c', status: RunStatus.CANCELLED, isEvicted: false },
    },
  });

  it('says the same as the stream', () => {
    expect(fromDetails(details(true))).toEqual([
      { name: 'a', id: '1', status: 'completed', output: '{"é":1}' },
      { name: 'b', id: '2', status: 'failed', error: 'why' },
      { name: 'c', id: '3', status: 'cancelled' },
    ]);
  });

  it('says nothing of a run that goes on', () => {
    expect(fromDetails(details(false))).toBeUndefined();
  });
});
