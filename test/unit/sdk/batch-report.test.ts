import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ActionType,
  AssignedAction,
  BatchActionEvent,
  StepActionEventType,
} from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import { batchMembers } from '../../../sdk/worker/batches/batch-members.ts';
import { batchResultEvents } from '../../../sdk/worker/batches/batch-report.ts';

const action = AssignedAction.fromPartial({
  actionType: ActionType.START_BATCH,
  actionId: 'a:b',
  batchId: 'b',
  retryCount: 0,
  actionPayload:
    '{"t1":{"payload":{"input":{"n":1}},"workflow_run_id":"r1","retry_count":2,"additional_metadata":{"team":"blue","hatchet__event_id":"e","hatchet__event_key":"k"}},"t2":{"payload":{"input":{"n":2}},"workflow_run_id":"r2"}}',
});

describe('batchMembers', () => {
  it('reads each run as if it had been started alone', () => {
    expect(batchMembers(action)).toMatchObject([
      {
        id: 't1',
        retryCount: 2,
        action: {
          taskRunExternalId: 't1',
          workflowRunId: 'r1',
          retryCount: 2,
          actionPayload: '{"input":{"n":1}}',
          additionalMetadata: '{"team":"blue","hatchet__event_id":"e","hatchet__event_key":"k"}',
          triggeringEventExternalId: 'e',
          triggeringEventKey: 'k',
        },
      },
      { id: 't2', retryCount: undefined, action: { taskRunExternalId: 't2', workflowRunId: 'r2', retryCount: 0 } },
    ]);
    expect(batchMembers({ ...action, actionPayload: '' })).toEqual([]);
  });
});

describe('batchResultEvents', () => {
  it('says what became of each member once, in messages that the engine takes', () => {
    const result = fc.oneof(
      fc
        .integer({ min: 1, max: 1_500_000 })
        .map((size) => ({ status: 'completed' as const, json: JSON.stringify('x'.repeat(size)) })),
      fc.record({
        status: fc.constant('failed' as const),
        message: fc.string(),
        stack: fc.constant(undefined),
        code: fc.constant(undefined),
        retry: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(fc.array(result, { maxLength: 12 }), (results) => {
        const members = results.map((each, index) => ({ id: `t${index}`, result: each }));
        const events = batchResultEvents(action, 'w', members);
        for (const event of events)
          expect(BatchActionEvent.encode(event).finish().length).toBeLessThan(4 * 1024 * 1024);
        const said = events.flatMap((event) =>
          event.items.map((item) => ({
            id: item.taskRunExternalId,
            completed: event.eventType === StepActionEventType.STEP_EVENT_TYPE_COMPLETED,
            again: item.shouldNotRetry,
          })),
        );
        expect(said.sort((a, b) => a.id.localeCompare(b.id))).toEqual(
          members
            .map((each) => ({
              id: each.id,
              completed: each.result.status === 'completed',
              again: each.result.status === 'failed' ? !each.result.retry : undefined,
            }))
            .sort((a, b) => a.id.localeCompare(b.id)),
        );
      }),
      { numRuns: 30 },
    );
  });
});
