import { describe, expect, it } from 'vitest';
import type { DevEvent } from '../../../../cli/dev/events.ts';
import { linesView, ndjsonView } from '../../../../cli/dev/view/lines-view.ts';
import type { EventRow } from '../../../../cli/monitor/run-reader.ts';

const mismatch = { node: 2, recorded: 'sleep 1s', asked: 'event "go"' };
const found: DevEvent = { type: 'durable-mismatch', runId: 'r1', workflow: 'order', task: 'order', ...mismatch };
const row: EventRow = {
  cursor: '7',
  time: null,
  runId: 'r1',
  workflow: 'order',
  taskId: 't1',
  task: 'order',
  attempt: 0,
  type: 'FAILED',
  status: 'FAILED',
  message: 'no',
  workerId: null,
  mismatch,
};

function shown(view: typeof linesView, event: DevEvent): { out: string; err: string } {
  const said = { out: '', err: '' };
  view({ stdout: { write: (text) => (said.out += text) }, stderr: { write: (text) => (said.err += text) } }).show(
    event,
  );
  return said;
}

describe('a session tells of a run that its code does not fit any more', () => {
  it('as one JSON line for programs: the run, the node and both sides', () => {
    const { out, err } = shown(ndjsonView, found);
    expect(err).toBe('');
    expect(out.endsWith('\n') && out.trimEnd().split('\n').length === 1).toBe(true);
    const line: object = JSON.parse(out);
    expect(line).toEqual({
      time: expect.any(String),
      type: 'durable-mismatch',
      runId: 'r1',
      workflow: 'order',
      task: 'order',
      ...mismatch,
    });
    const event: object = JSON.parse(shown(ndjsonView, { type: 'run-event', event: row }).out);
    expect(event).toMatchObject({ type: 'run-event', event: 'FAILED', runId: 'r1', mismatch });
  });

  it('as lines for people, with the ways out, and none of them among the data', () => {
    const { out, err } = shown(linesView, found);
    expect(out).toBe('');
    expect(err).toContain(
      'run r1 of order does not fit the code any more: node 2 of its log holds sleep 1s, and the code asks for event "go"',
    );
    expect(err).toContain('hatchet runs branch r1 --node 2');
  });
});

it('of a build that failed it says whether an older worker serves', () => {
  const failed: DevEvent = {
    type: 'build-failed',
    problems: [{ file: 'worker.ts', line: 2, column: 11, message: 'Unexpected ";"' }],
    inputs: [],
    isFirst: true,
  };
  expect(shown(linesView, failed).err).toBe(
    '✗ the worker was not built; none serves yet\n  worker.ts:2:11  Unexpected ";"\n',
  );
  expect(shown(linesView, { ...failed, isFirst: false }).err).toContain('the last good one keeps serving');
});
