import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { readStrategyId, strategyId, type Strategy } from '../../../engine/model/task/strategy-id.ts';

const name = fc.string({ unit: fc.constantFrom('a', '/', ' ', '0', 'é'), minLength: 1 });

describe('strategyId', () => {
  it('is read as it was written, whatever names hold', () => {
    const strategies: fc.Arbitrary<Strategy> = fc.oneof(
      fc.record({ sharedName: name }),
      fc.record({
        workflowId: fc.constant(newId()),
        taskName: fc.option(name, { nil: undefined }),
        index: fc.nat(20),
      }),
    );
    fc.assert(
      fc.property(strategies, (strategy) => {
        expect(readStrategyId(strategyId(strategy))).toEqual(strategy);
      }),
    );
  });

  it('stays as it is stored', () => {
    expect(strategyId({ sharedName: 'per/user' })).toBe('shared/per/user');
    expect(strategyId({ workflowId: 'w', taskName: undefined, index: 1 })).toBe('w/1');
    expect(strategyId({ workflowId: 'w', taskName: 'one', index: 0 })).toBe('w/one/0');
  });
});
