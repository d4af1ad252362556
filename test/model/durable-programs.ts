import fc from 'fast-check';
import type { Program } from './durable-program.ts';

/** Random programs. @param ms how long they sleep */
export function durablePrograms(ms: fc.Arbitrary<number>): fc.Arbitrary<Program> {
  const key = fc.constantFrom('a', 'b');
  const fails = fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });
  const leaf: fc.Arbitrary<Program> = fc.oneof(
    fc.record({ do: fc.constant('sleep' as const), ms }),
    fc.record({ do: fc.constant('event' as const), key }),
    fc.record({ do: fc.constant('either' as const), ms, key }),
    fc.record({ do: fc.constant('child' as const), fails }),
    fc.record({ do: fc.constant('memo' as const) }),
  );
  return fc.letrec<{ program: Program }>((tie) => ({
    program: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      leaf,
      fc.record({ do: fc.constant('spawn' as const), fails, meanwhile: tie('program') }),
      fc.record({
        do: fc.constantFrom('seq' as const, 'all' as const, 'race' as const),
        parts: fc.array(tie('program'), { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ do: fc.constant('try' as const), body: tie('program'), last: tie('program') }),
    ),
  })).program;
}

/** Several of them, one after the other or at once. */
export function joined(program: fc.Arbitrary<Program>): fc.Arbitrary<Program> {
  return fc.record({
    do: fc.constantFrom('seq' as const, 'all' as const, 'race' as const),
    parts: fc.array(program, { minLength: 2, maxLength: 4 }),
  });
}
