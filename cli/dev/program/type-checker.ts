import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { execa } from 'execa';
import type { Emit, Problem } from '../events.ts';

export interface TypeCheckerOptions {
  project: string;
  entry: string;
  emit: Emit;
}

/** Runs the project's own TypeScript beside the bundler. It only warns. Nothing happens where the project has none. */
export class TypeChecker {
  readonly #emit: Emit;
  readonly #project: string;
  readonly #command: { tsc: string; config: string } | undefined;
  #running: AbortController | undefined;

  constructor({ project, entry, emit }: TypeCheckerOptions) {
    this.#emit = emit;
    this.#project = project;
    const config = nearestConfig(dirname(entry), project);
    const tsc = findTsc(project);
    this.#command = config === undefined || tsc === undefined ? undefined : { tsc, config };
  }

  /** Checks anew; a check under way is dropped. */
  check(): void {
    if (this.#command === undefined) return;
    this.#running?.abort();
    this.#running = new AbortController();
    void this.#run(this.#command, this.#running.signal);
  }

  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
  }

  async #run({ tsc, config }: { tsc: string; config: string }, signal: AbortSignal): Promise<void> {
    const { stdout } = await execa(process.execPath, [tsc, '--noEmit', '--pretty', 'false', '-p', config], {
      cwd: this.#project,
      stdin: 'ignore',
      stderr: 'ignore',
      reject: false, // type errors end it with 2
      cancelSignal: signal,
      forceKillAfterDelay: 500,
      windowsHide: true,
    });
    if (!signal.aborted) this.#emit({ type: 'types-checked', problems: parseProblems(stdout, this.#project) });
  }
}

function nearestConfig(start: string, project: string): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    const config = join(folder, 'tsconfig.json');
    if (existsSync(config)) return config;
    if (folder === project || dirname(folder) === folder) return undefined;
  }
}

function findTsc(project: string): string | undefined {
  try {
    const manifest = createRequire(join(project, 'package.json')).resolve('typescript/package.json');
    const tsc = join(dirname(manifest), 'bin', 'tsc');
    return existsSync(tsc) ? tsc : undefined;
  } catch {
    return undefined;
  }
}

/** Lines such as `src/worker.ts(3,7): error TS2322: …`. */
export function parseProblems(text: string, project: string): Problem[] {
  return [...text.matchAll(/^(.+?)\((\d+),(\d+)\): error (TS\d+: .*)$/gm)].map(
    ([, file = '', line, column, message = '']) => ({
      file: relative(project, resolve(project, file)),
      line: Number(line),
      column: Number(column),
      message,
    }),
  );
}
