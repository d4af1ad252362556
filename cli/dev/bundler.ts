import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { context, type BuildContext, type BuildResult, type Message } from 'esbuild';
import type { Emit, Problem } from './events.ts';
import type { Builder } from './program.ts';

export interface BundlerOptions {
  project: string;
  /** Absolute. */
  entry: string;
  /** Where bundles go: inside the project, so that bare imports resolve. */
  outDir: string;
  emit: Emit;
}

/** Old bundles stay while a draining worker may still load its source map. */
const keptBundles = 4;

/** Bundles a worker's program; packages stay outside. One build at a time; a request during a build is one more build. */
export class Bundler implements Builder {
  readonly #options: BundlerOptions;
  #context: Promise<BuildContext<{ write: false; metafile: true }>> | undefined;
  #building: Promise<void> | undefined;
  #again = false;
  #lastHash = '';
  #lastInputs: readonly string[] = [];

  constructor(options: BundlerOptions) {
    this.#options = options;
  }

  build(): void {
    if (this.#building !== undefined) {
      this.#again = true;
      return;
    }
    this.#building = this.#run().finally(() => {
      this.#building = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.build();
    });
  }

  async #run(): Promise<void> {
    const { emit, project, entry } = this.#options;
    emit({ type: 'build-started' });
    const startedAtMs = performance.now();
    try {
      this.#context ??= this.#open();
      const result = await (await this.#context).rebuild();
      this.#lastInputs = inputsOf(result, project);
      const { bundle, changed } = this.#write(result);
      emit({ type: 'build-done', bundle, changed, inputs: this.#lastInputs, ms: Math.round(performance.now() - startedAtMs) });
    } catch (error) {
      const problems = buildMessages(error).map((message) => toProblem(message, project));
      emit({ type: 'build-failed', problems: problems.length > 0 ? problems : [{ file: relative(project, entry), line: 1, column: 1, message: String(error) }], inputs: this.#lastInputs.length > 0 ? this.#lastInputs : [entry], isFirst: this.#lastInputs.length === 0 });
    }
  }

  #open(): Promise<BuildContext<{ write: false; metafile: true }>> {
    const { entry, project, outDir } = this.#options;
    return context({
      entryPoints: [entry],
      absWorkingDir: project,
      outfile: join(outDir, 'worker.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
      packages: 'external',
      sourcemap: 'inline',
      write: false,
      metafile: true,
      logLevel: 'silent',
    });
  }

  #write(result: BuildResult<{ write: false; metafile: true }>): { bundle: string; changed: boolean } {
    const { outDir } = this.#options;
    const text = result.outputFiles.find((file) => file.path.endsWith('.mjs'))?.contents ?? new Uint8Array();
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
    const bundle = join(outDir, `worker-${hash}.mjs`);
    const changed = hash !== this.#lastHash;
    if (changed) {
      mkdirSync(outDir, { recursive: true });
      writeFileSync(bundle, text);
      this.#lastHash = hash;
      removeOld(outDir, bundle);
    }
    return { bundle, changed };
  }

  async stop(): Promise<void> {
    this.#again = false;
    await this.#building;
    await (await this.#context?.catch(() => undefined))?.dispose();
  }
}

function removeOld(outDir: string, current: string): void {
  const bundles = readdirSync(outDir)
    .filter((name) => /^worker-[0-9a-f]{12}\.mjs$/.test(name))
    .map((name) => join(outDir, name))
    .filter((path) => path !== current)
    .map((path) => ({ path, at: statSync(path).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of bundles.slice(keptBundles - 1)) rmSync(path, { force: true });
}

function inputsOf(result: BuildResult<{ metafile: true }>, project: string): string[] {
  return Object.keys(result.metafile.inputs).map((path) => resolve(project, path));
}

function buildMessages(error: unknown): readonly Message[] {
  if (!(error instanceof Error) || !('errors' in error) || !Array.isArray(error.errors)) return [];
  const messages: readonly Message[] = error.errors;
  return messages;
}

function toProblem(message: Message, project: string): Problem {
  const { location } = message;
  if (location === null) return { file: '', line: 0, column: 0, message: message.text };
  return { file: relative(project, resolve(project, location.file)), line: location.line, column: location.column + 1, message: message.text };
}
