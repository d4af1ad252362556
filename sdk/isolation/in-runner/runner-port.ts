import { fieldOf, textFieldOf } from '../../failure/safe-reads.ts';
import type { IsolationLevel } from '../definition/isolation.ts';

/** Serves attempts of one task, in the runner. @param order text of a RunOrder */
export type Serve = (order: string) => void;

/**
 * What the program of a runner has for the SDK that it loads. A project may load the SDK twice (as an ES module and as
 * CommonJS), or have it bundled into its own code: all find it by a symbol, and offer to it what they declare.
 */
export interface RunnerPort {
  readonly level: IsolationLevel;
  /** Whether the modules of the project are still being evaluated. */
  isLoading(): boolean;
  /** Nothing of the project's module is to be waited for: it has come to a call that is for workers alone. */
  stopLoading(at: string): void;
  offer(home: string, serve: Serve): void;
  send(text: string): void;
  /** Resolves once what was sent is on its way. */
  drained(): Promise<void>;
  /** For what concerns the attempt that runs. */
  hear(listener: ((text: string) => void) | undefined): void;
}

export const runnerPortName = 'hatchet-ts.runner-port';

const found = findPort();

/** The port of the runner that this code is loaded in; `undefined` in every other program. */
export function runnerPort(): RunnerPort | undefined {
  return found;
}

/** In which kind of runner this code is being run; `undefined` where it is none, as in the worker itself. For top-level code that only a worker needs, such as a server that listens. */
export function runnerLevel(): IsolationLevel | undefined {
  return found?.level;
}

/** For calls that the top level of a program makes: a runner evaluates it again, and makes no call again. Never resolves there. */
export async function heldInRunner(call: string): Promise<void> {
  if (found?.isLoading() !== true) return;
  found.stopLoading(call);
  await new Promise(() => {});
}

function findPort(): RunnerPort | undefined {
  const port: unknown = Reflect.get(globalThis, Symbol.for(runnerPortName));
  return isPort(port) ? port : undefined;
}

function isPort(value: unknown): value is RunnerPort {
  return textFieldOf(value, 'level') !== undefined && typeof fieldOf(value, 'offer') === 'function';
}
