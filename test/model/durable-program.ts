import fc from 'fast-check';

/** A durable task's code, as far as the engine can tell. */
export type Program =
  | { do: 'sleep'; seconds: number }
  | { do: 'event'; key: string }
  | { do: 'either'; seconds: number; key: string }
  | { do: 'child' }
  /** A child that is spawned, and waited for after something else. */
  | { do: 'spawn'; meanwhile: Program }
  | { do: 'memo' }
  | { do: 'seq'; parts: readonly Program[] }
  | { do: 'all'; parts: readonly Program[] }
  | { do: 'race'; parts: readonly Program[] };

/** What a program asks of whoever runs it. Each settles with the operation's result. */
export interface Operations {
  sleep(seconds: number): Promise<string>;
  event(key: string): Promise<string>;
  either(seconds: number, key: string): Promise<string>;
  child(): Promise<string>;
  /** Settles once the child is spawned; what it gives settles with the child's result. */
  spawn(): Promise<{ result: Promise<string> }>;
  memo(): Promise<string>;
}

export async function runProgram(program: Program, operations: Operations): Promise<unknown> {
  switch (program.do) {
    case 'sleep':
      return operations.sleep(program.seconds);
    case 'event':
      return operations.event(program.key);
    case 'either':
      return operations.either(program.seconds, program.key);
    case 'child':
      return operations.child();
    case 'spawn': {
      const { result } = await operations.spawn();
      const meanwhile = await runProgram(program.meanwhile, operations);
      return [meanwhile, await result];
    }
    case 'memo':
      return operations.memo();
    case 'seq': {
      const results: unknown[] = [];
      for (const part of program.parts) results.push(await runProgram(part, operations));
      return results;
    }
    case 'all':
      return Promise.all(program.parts.map((part) => runProgram(part, operations)));
    case 'race':
      // The loser goes on: what it asks for later is asked for in the recorded order too.
      return Promise.race(program.parts.map(async (part, index) => [index, await runProgram(part, operations)]));
  }
}

const leaf: fc.Arbitrary<Program> = fc.oneof(
  fc.record({ do: fc.constant('sleep' as const), seconds: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ do: fc.constant('event' as const), key: fc.constantFrom('a', 'b') }),
  fc.record({ do: fc.constant('either' as const), seconds: fc.integer({ min: 1, max: 9 }), key: fc.constantFrom('a', 'b') }),
  fc.record({ do: fc.constant('child' as const) }),
  fc.record({ do: fc.constant('memo' as const) }),
);

export const programs: fc.Arbitrary<Program> = fc.letrec<{ program: Program }>((tie) => ({
  program: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    leaf,
    fc.record({ do: fc.constant('spawn' as const), meanwhile: tie('program') }),
    fc.record({ do: fc.constantFrom('seq' as const, 'all' as const, 'race' as const), parts: fc.array(tie('program'), { minLength: 1, maxLength: 3 }) }),
  ),
})).program;
