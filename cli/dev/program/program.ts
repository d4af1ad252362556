import type { Emit } from '../events.ts';
import type { TypeChecker } from './type-checker.ts';

/** Makes of the sources what workers run, and tells of it by build events. */
export interface Builder {
  /** `changed`: the files for which it is made anew. */
  build(changed?: readonly string[]): void;
  /** What workers have loaded: a change of it is a change too. */
  include(files: readonly string[]): void;
  stop(): Promise<void>;
}

/** Tells of changed files. */
export interface ProjectWatcher {
  /** Watches these files too. */
  cover(files: readonly string[]): void;
  stop(): Promise<void>;
}

/** What a project's worker is: a program whose modules are compiled for it, or the command of a `hatchet.yaml`. */
export interface Program {
  /** Of the worker's variables, as it was configured. */
  envFile: string | undefined;
  makeBuilder(emit: Emit): Builder;
  makeWatcher(emit: Emit): ProjectWatcher;
  /** None where there are no types to check. */
  makeTypes(emit: Emit): TypeChecker | undefined;
  /** Arguments of the Node process that runs the worker. */
  readonly args: readonly string[];
  /** Whether a process may be started ahead, and be told later what to run. */
  readonly mayStartAhead: boolean;
}
