/** A durable task's code, as far as the engine can tell. */
export type Program =
  | { do: 'sleep'; ms: number }
  | { do: 'event'; key: string }
  | { do: 'either'; ms: number; key: string }
  | { do: 'child'; fails: boolean }
  /** A child that is spawned, and waited for after something else. */
  | { do: 'spawn'; fails: boolean; meanwhile: Program }
  | { do: 'memo' }
  | { do: 'seq' | 'all' | 'race'; parts: readonly Program[] }
  /** A failed child of the body is caught; the last part runs in any case. */
  | { do: 'try'; body: Program; last: Program };

/**
 * What a program asks of whoever runs it. Each settles with the operation's result; a child that fails rejects. Names are
 * places in the program: each is asked for once at most, and a log's node tells by it which operation it is.
 */
export interface Operations {
  sleep(name: string, ms: number): Promise<string>;
  event(name: string, key: string): Promise<string>;
  either(name: string, ms: number, key: string): Promise<string>;
  child(name: string, fails: boolean): Promise<string>;
  /** Settles once the child is spawned; what it gives settles with the child's result. */
  spawn(name: string, fails: boolean): Promise<{ result: Promise<string> }>;
  memo(name: string): Promise<string>;
}

/** A program's end is an output even where it throws: a failed attempt would be one more run of the same code. */
export async function runProgram(program: Program, operations: Operations): Promise<unknown> {
  try {
    return { gave: await run(program, operations, 'p') };
  } catch (error) {
    return { threw: messageOf(error) };
  }
}

async function run(program: Program, operations: Operations, name: string): Promise<unknown> {
  switch (program.do) {
    case 'sleep':
      return operations.sleep(name, program.ms);
    case 'event':
      return operations.event(name, program.key);
    case 'either':
      return operations.either(name, program.ms, program.key);
    case 'child':
      return operations.child(name, program.fails);
    case 'spawn': {
      const { result } = await operations.spawn(name, program.fails);
      result.catch(() => undefined); // it may fail before it is waited for
      const meanwhile = await run(program.meanwhile, operations, `${name}.m`);
      return [meanwhile, await result];
    }
    case 'memo':
      return operations.memo(name);
    case 'seq': {
      const results: unknown[] = [];
      for (const [index, part] of program.parts.entries())
        results.push(await run(part, operations, `${name}.${index}`));
      return results;
    }
    case 'all':
      return Promise.all(program.parts.map((part, index) => run(part, operations, `${name}.${index}`)));
    case 'race':
      // The loser goes on: what it asks for later is asked for in the recorded order too.
      return Promise.race(
        program.parts.map(async (part, index) => [index, await run(part, operations, `${name}.${index}`)]),
      );
    case 'try': {
      const seen: unknown[] = [];
      try {
        seen.push(await run(program.body, operations, `${name}.b`));
      } catch (error) {
        seen.push(`caught ${messageOf(error)}`);
      } finally {
        seen.push(await run(program.last, operations, `${name}.l`));
      }
      return seen;
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Operations that it asks for at most. */
export function sizeOf(program: Program): number {
  switch (program.do) {
    case 'spawn':
      return 1 + sizeOf(program.meanwhile);
    case 'seq':
    case 'all':
    case 'race':
      return program.parts.reduce((sum, part) => sum + sizeOf(part), 0);
    case 'try':
      return sizeOf(program.body) + sizeOf(program.last);
    default:
      return 1;
  }
}
