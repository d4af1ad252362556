import { format } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { captureConsole, captured } from '../../../sdk/console-capture.ts';
import { guardedLogger } from '../../../sdk/logger.ts';
import { oddities } from '../../helpers/hostile-values.ts';

const printed: string[] = [];
let restore: (() => void)[] = [];

beforeEach(() => {
  printed.length = 0;
  restore = (['log', 'info', 'debug', 'warn', 'error', 'dir'] as const).map((method) => {
    const spy = vi
      .spyOn(console, method)
      .mockImplementation((...values: unknown[]) => void printed.push(format(...values)));
    return () => spy.mockRestore();
  });
});

afterEach(() => {
  for (const each of restore) each();
});

describe('what tasks print', () => {
  it('goes to the log of the task that prints it, and to the terminal, across its awaits', async () => {
    const letGo = captureConsole();
    const task = async (name: string): Promise<string[]> => {
      const lines: string[] = [];
      await captured(
        (level, message) => void lines.push(`${level} ${message}`),
        async () => {
          console.log('%s is %d', name, 1, { a: [1] });
          await new Promise((resolve) => setTimeout(resolve, 5));
          console.warn(name, 'warns');
          await Promise.resolve();
          console.error(new Error('broken').message);
          console.debug('fine');
        },
      );
      return lines;
    };
    const [a, b] = await Promise.all([task('a'), task('b')]);
    console.log('outside');
    letGo();
    expect(a).toEqual(['INFO a is 1 { a: [ 1 ] }', 'WARN a warns', 'ERROR broken', 'DEBUG fine']);
    expect(b).toEqual(['INFO b is 1 { a: [ 1 ] }', 'WARN b warns', 'ERROR broken', 'DEBUG fine']);
    expect(printed).toHaveLength(9);
    expect(printed).toContain('outside');
  });

  it('is told of once where a logger prints to the console what the task has logged', async () => {
    const letGo = captureConsole();
    const print = (message: string): void => console.log(message);
    const logger = guardedLogger({
      debug: print,
      info: async (message) => (await Promise.resolve(), print(message)),
      warn: print,
      error: print,
    });
    const lines: string[] = [];
    await captured(
      (_level, message) => void lines.push(message),
      async () => {
        await Promise.all([logger.info('by the logger'), logger.warn('by the logger')]);
        console.log('by the task');
      },
    );
    letGo();
    expect(lines).toEqual(['by the task']);
    expect(printed).toHaveLength(3);
  });

  it('is a text, whatever it is', () => {
    for (const method of ['log', 'dir'] as const) vi.spyOn(console, method).mockImplementation(() => undefined);
    const letGo = captureConsole();
    const lines: string[] = [];
    for (const make of oddities)
      captured(
        (_level, message) => void lines.push(message),
        () => (console.log(make()), console.log('%s %o %d', make(), make(), make()), console.dir(make())),
      );
    letGo();
    expect(lines).toHaveLength(3 * oddities.length);
    expect(lines.every((line) => typeof line === 'string')).toBe(true);
  });

  it("is the terminal's alone once all have let go", () => {
    const before = console.log;
    const one = captureConsole();
    const other = captureConsole();
    one();
    one();
    expect(console.log).not.toBe(before);
    other();
    expect(console.log).toBe(before);
  });
});
