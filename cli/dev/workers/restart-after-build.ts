import { SelfWrites } from '../watch/self-writes.ts';

/** What a build means for the worker. */
export type Restart =
  /** It starts anew, on the code of this build. */
  | 'restart'
  /** Its code is as it was: it starts only where it is not on it yet. */
  | 'none'
  /** It writes the changed files itself, and is left alone; to be told once. */
  | 'hold'
  /** The same again, which was told. */
  | 'held';

/** Decides whether a saved file starts the worker anew: a change of its code or of its `.env` does, unless it is the worker who changes it. */
export class RestartAfterBuild {
  readonly #envFile: string;
  readonly #selfWrites = new SelfWrites();
  #envChanged = false;

  /** @param envFile its change starts the worker anew, although the code stays the same */
  constructor(envFile: string) {
    this.#envFile = envFile;
  }

  workerStarting(): void {
    this.#selfWrites.started();
  }

  workerReady(nowMs: number): void {
    this.#selfWrites.ready(nowMs);
  }

  /** Saved, and not built yet. */
  saved(paths: readonly string[]): void {
    this.#envChanged ||= paths.includes(this.#envFile);
  }

  /**
   * A file that cannot be built changes nothing: the worker goes on with the code of the last good build, whatever was saved.
   * @returns whether nothing can come of the session: no code has ever been built, and nobody is watching who would mend it
   */
  failed({ hasBuilt, isWatching }: { hasBuilt: boolean; isWatching: boolean }): boolean {
    return !hasBuilt && !isWatching;
  }

  /** @param build.changed whether it made other code than the build before; a first one, or one under another tsconfig, may without a changed file */
  built({ changed, changedFiles }: { changed: boolean; changedFiles: readonly string[] }, nowMs: number): Restart {
    const envChanged = this.#envChanged;
    this.#envChanged = false;
    if (envChanged) return 'restart';
    if (!changed) return 'none';
    if (changedFiles.length === 0) return 'restart';
    const verdict = this.#selfWrites.judge(changedFiles, nowMs);
    return verdict === 'start' ? 'restart' : verdict;
  }
}
