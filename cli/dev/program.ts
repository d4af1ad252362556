import type { Emit } from './events.ts';
import type { TypeChecker } from './type-checker.ts';

/** Makes of the sources what workers run, and tells of it by build events. */
export interface Builder {
  build(): void;
  stop(): Promise<void>;
}

/** Tells of changed files. */
export interface ProjectWatcher {
  /** Watches these files too. */
  cover(files: readonly string[]): void;
  stop(): Promise<void>;
}

/** What a project's worker is: a TypeScript program that is bundled, or the command of a `hatchet.yaml`. */
export interface Program {
  /** Of the worker's variables, as it was configured. */
  envFile: string | undefined;
  makeBuilder(emit: Emit): Builder;
  makeWatcher(emit: Emit): ProjectWatcher;
  /** None where there are no types to check. */
  makeTypes(emit: Emit): TypeChecker | undefined;
  /** Arguments of the Node process that runs the worker of a build. */
  readonly args: (bundle: string) => readonly string[];
}
