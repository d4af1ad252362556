import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Message } from 'esbuild';
import type { Emit, Problem } from '../events.ts';
import type { Builder } from '../program/program.ts';
import { changedModules } from './changed-modules.ts';
import { configFiles } from './config-files.ts';
import { ModuleGraph } from './module-graph.ts';

export interface ModuleBuilderOptions {
  project: string;
  /** Absolute. */
  entry: string;
  /** Where compiled modules and manifests go. */
  outDir: string;
  emit: Emit;
}

/** Code that no manifest of this age names is removed; a worker that lacks it compiles the module itself. */
const keptMs = 24 * 60 * 60 * 1000;

/** Compiles a project's modules for its worker, each in its place. One build at a time; a request during a build is one more build. */
export class ModuleBuilder implements Builder {
  readonly #options: ModuleBuilderOptions;
  readonly #graph: ModuleGraph;
  /** What workers loaded although no import names it: by a computed name, or as a thread. */
  readonly #included = new Set<string>();
  #fresh = new Set<string>();
  #building: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #hashes: ReadonlyMap<string, string> = new Map();
  #configs = new Map<string, string>();
  #manifest = '';

  constructor(options: ModuleBuilderOptions) {
    this.#options = options;
    this.#graph = new ModuleGraph({ project: options.project, outDir: options.outDir });
  }

  build(): void {
    if (this.#stopped) return;
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

  include(files: readonly string[]): void {
    const known = new Set(this.#graph.files);
    for (const file of files) {
      if (known.has(file) || this.#included.has(file)) continue;
      this.#included.add(file);
      this.#fresh.add(file);
    }
  }

  async #run(): Promise<void> {
    const { emit, project, entry } = this.#options;
    emit({ type: 'build-started' });
    const startedAtMs = performance.now();
    try {
      const reread = this.#configsChanged();
      if (reread) this.#graph.clear();
      // With what a worker has loaded on its own, which is no change by itself.
      const fresh = this.#fresh;
      this.#fresh = new Set();
      await this.#graph.update([entry, ...[...this.#included].filter((file) => existsSync(file))]);
      const hashes = this.#graph.hashes();
      const isFirst = this.#manifest === '';
      const changedFiles = isFirst ? [] : changedModules(this.#hashes, hashes, fresh);
      this.#hashes = hashes;
      this.#manifest = this.#write();
      emit({
        type: 'build-done',
        manifest: this.#manifest,
        changed: isFirst || reread || changedFiles.length > 0,
        changedFiles,
        inputs: this.#inputs(),
        ms: Math.round(performance.now() - startedAtMs),
      });
    } catch (error) {
      const messages = buildMessages(error);
      const problems = messages.map((message) => toProblem(message, project));
      const isFirst = this.#manifest === '';
      emit({
        type: 'build-failed',
        problems:
          problems.length > 0
            ? problems
            : [{ file: relative(project, entry), line: 1, column: 1, message: String(error) }],
        inputs: [...this.#inputs(), ...messages.flatMap((message) => remedies(message, project))],
        isFirst,
      });
    }
  }

  #inputs(): string[] {
    const modules = this.#graph.files;
    const files = modules.length > 0 ? modules : [this.#options.entry];
    const configs = configFiles(files);
    this.#configs = new Map(configs.map((file) => [file, contentOf(file)]));
    return [...files, ...configs];
  }

  #configsChanged(): boolean {
    return [...this.#configs].some(([file, content]) => contentOf(file) !== content);
  }

  #write(): string {
    const { outDir } = this.#options;
    const text = JSON.stringify(this.#graph.manifest());
    const path = join(outDir, `manifest-${createHash('sha256').update(text).digest('hex').slice(0, 16)}.json`);
    if (path === this.#manifest) return path;
    mkdirSync(outDir, { recursive: true });
    if (this.#manifest === '') removeOld(outDir, text);
    writeFileSync(path, text);
    return path;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#again = false;
    await this.#building;
  }
}

function removeOld(outDir: string, manifest: string): void {
  for (const name of readdirSync(outDir)) {
    const path = join(outDir, name);
    if (!manifest.includes(name) && Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > keptMs)
      rmSync(path, { force: true, recursive: true });
  }
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function buildMessages(error: unknown): readonly Message[] {
  if (!(error instanceof Error) || !('errors' in error) || !Array.isArray(error.errors)) return [];
  const messages: readonly Message[] = error.errors;
  return messages;
}

/** The files whose change may mend it: that which has the mistake, and that which was not found. */
function remedies({ location, text }: Message, project: string): string[] {
  if (location === null) return [];
  const file = resolve(project, location.file);
  const [, missing] = /^Could not resolve "(\.[^"]*)"/.exec(text) ?? [];
  return missing === undefined ? [file] : [file, resolve(dirname(file), missing)];
}

function toProblem(message: Message, project: string): Problem {
  const { location } = message;
  if (location === null) return { file: '', line: 0, column: 0, message: message.text };
  return {
    file: relative(project, resolve(project, location.file)),
    line: location.line,
    column: location.column + 1,
    message: message.text,
  };
}
