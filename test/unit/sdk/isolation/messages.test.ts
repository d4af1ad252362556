import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BulkTriggerIdempotencyCollisionError,
  HatchetError,
  IdempotencyCollisionError,
  TaskCancelledError,
} from '../../../../sdk/index.ts';
import { parseRunnerMessage } from '../../../../sdk/isolation/messages/messages.ts';
import { fromWireError, toWireError } from '../../../../sdk/isolation/messages/wire-error.ts';

describe('what a runner says', () => {
  it('is read, or means nothing, whatever it is', () => {
    const kinds = fc.constantFrom('log', 'call', 'result', 'missing', 'broken', 'fatal', 'other');
    const odd = fc.record(
      {
        type: kinds,
        at: fc.jsonValue(),
        level: fc.jsonValue(),
        message: fc.jsonValue(),
        metadata: fc.jsonValue(),
        call: fc.jsonValue(),
        name: fc.jsonValue(),
        given: fc.jsonValue(),
        result: fc.jsonValue(),
        failure: fc.jsonValue(),
        known: fc.jsonValue(),
      },
      { requiredKeys: ['type'] },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          odd.map((message) => JSON.stringify(message)),
        ),
        (text) => {
          const message = parseRunnerMessage(text);
          if (message?.type === 'log') expect(Number.isNaN(message.line.at.getTime())).toBe(false);
          if (message?.type === 'result') expect(['completed', 'failed']).toContain(message.result.status);
          if (message?.type === 'missing') expect(message.known.every((name) => typeof name === 'string')).toBe(true);
        },
      ),
    );
  });
});

describe('an error on its way to a runner', () => {
  const sent = (error: unknown): Error => fromWireError(JSON.parse(JSON.stringify(toWireError(error))));

  it('stays what it was', () => {
    expect(sent(new HatchetError('UNKNOWN_WORKFLOW', 'no such workflow'))).toEqual(
      new HatchetError('UNKNOWN_WORKFLOW', 'no such workflow'),
    );
    expect(sent(new TaskCancelledError('stopped'))).toEqual(new TaskCancelledError('stopped'));
    const collision = new IdempotencyCollisionError('a', 'b');
    expect(sent(collision)).toMatchObject({
      code: 'IDEMPOTENCY_COLLISION',
      existingRunExternalId: 'a',
      collidingRunExternalId: 'b',
    });
    const bulk = sent(new BulkTriggerIdempotencyCollisionError(['c'], [collision]));
    expect(bulk).toBeInstanceOf(BulkTriggerIdempotencyCollisionError);
    expect(bulk).toMatchObject({
      successfulWorkflowRunExternalIds: ['c'],
      collisions: [{ existingRunExternalId: 'a' }],
    });
    expect(sent(Object.assign(new Error('odd'), { code: 'EODD' }))).toMatchObject({
      code: 'ENGINE_ERROR',
      message: 'odd (EODD)',
    });
  });
});
