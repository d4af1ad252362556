import { AsyncLocalStorage } from 'node:async_hooks';
import { format, inspect } from 'node:util';
import { safely, shown } from './failure/safe-reads.ts';

/** Where what a task prints goes besides the terminal. */
export type ConsoleSink = (level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR', message: string) => void;

/** The others of `console`, as `table`, `trace` and `count`, call one of these. */
const levels = { debug: 'DEBUG', log: 'INFO', info: 'INFO', dir: 'INFO', warn: 'WARN', error: 'ERROR' } as const;
type Method = keyof typeof levels;
const methods: readonly Method[] = ['debug', 'log', 'info', 'dir', 'warn', 'error'];

const storage = new AsyncLocalStorage<ConsoleSink | undefined>();

/** What each method was before, and what stands there now. */
const replaced = new Map<Method, { original: Console[Method]; ours: (...values: unknown[]) => void }>();
let holders = 0;

/**
 * What is printed by code that runs in `captured` goes to its sink too. For the whole process, until all who have asked for it
 * have let go.
 * @returns lets go
 */
export function captureConsole(): () => void {
  if (holders++ === 0) for (const method of methods) replace(method);
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    if (--holders === 0) restore();
  };
}

/** Runs a task's code. */
export function captured<Result>(sink: ConsoleSink, body: () => Result): Result {
  return storage.run(sink, body);
}

/** Runs what must not come back as a line: a logger that prints what the task has logged. */
export function uncaptured<Result>(body: () => Result): Result {
  return storage.getStore() === undefined ? body() : storage.run(undefined, body);
}

function replace(method: Method): void {
  const original: Console[Method] = console[method];
  const ours = (...values: unknown[]): void => {
    // Node's own methods call each other: `info` is told of once.
    uncaptured(() => Reflect.apply(original, console, values));
    const sink = storage.getStore();
    if (sink !== undefined) sink(levels[method], textOf(method, values));
  };
  replaced.set(method, { original, ours });
  console[method] = ours;
}

function restore(): void {
  // What somebody has put in its place meanwhile stays.
  for (const [method, { original, ours }] of replaced) if (console[method] === ours) console[method] = original;
  replaced.clear();
}

function textOf(method: Method, values: readonly unknown[]): string {
  if (method === 'dir') return safely(() => inspect(values[0]), undefined) ?? shown(values[0]);
  return safely(() => format(...values), undefined) ?? values.map(shown).join(' ');
}
