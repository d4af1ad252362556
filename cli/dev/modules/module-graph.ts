import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { compiledFile, type ModuleCode } from './code-options.ts';
import { compileModules } from './compile-modules.ts';
import type { Manifest, ManifestModule, ModuleFormat } from './manifest.ts';
import { scanModules, type ScannedModule } from './scan-modules.ts';

export interface ModuleGraphOptions {
  project: string;
  /** Where compiled code goes. */
  outDir: string;
  /** Modules that are dealt with elsewhere. */
  isKnown?: (file: string) => boolean;
}

interface KnownModule extends ScannedModule {
  /** Of the file as it was read; empty where it may have been written meanwhile. */
  stamp: string;
  /** None for what Node loads as it is. */
  made: ManifestModule | undefined;
  /** Of what a worker gets of it. */
  hash: string;
}

/**
 * The modules of a project that its worker loads, each compiled by itself. An update costs what has changed: a bundle of
 * 200 modules takes 120 ms to be made anew, one of its modules 10 ms.
 */
export class ModuleGraph {
  readonly #options: ModuleGraphOptions;
  #modules: ReadonlyMap<string, KnownModule> = new Map();

  constructor(options: ModuleGraphOptions) {
    this.#options = options;
  }

  get files(): string[] {
    return [...this.#modules.keys()];
  }

  /** Forgets all, as after a change of what says how modules are found and compiled. */
  clear(): void {
    this.#modules = new Map();
  }

  /**
   * Reads what is new and what has changed. After a failure the graph is what it was.
   * @throws esbuild's BuildFailure
   */
  async update(roots: readonly string[]): Promise<void> {
    const { project } = this.#options;
    const modules = new Map(this.#modules);
    for (const [file, { stamp, imports }] of this.#modules) {
      // A file that is gone may be found elsewhere now, by those that import it.
      if (stamp === '' || stamp !== stampOf(file) || [...imports.values()].some((target) => !existsSync(target.file)))
        modules.delete(file);
    }
    const isKnown = (file: string): boolean => modules.has(file) || this.#isElsewhere(file);
    let reached = this.#reach(modules, roots);
    while (reached.missing.length > 0) {
      const startedAtMs = Date.now();
      const scanned = await scanModules(reached.missing, {
        project,
        isKnown: modules.size === 0 && this.#options.isKnown === undefined ? undefined : isKnown,
      });
      for (const module of scanned)
        modules.set(module.file, { ...module, stamp: stampOf(module.file, startedAtMs), made: undefined, hash: '' });
      reached = this.#reach(modules, roots);
    }
    await this.#compile(reached.modules, formatsOf(reached.modules, roots));
    this.#modules = reached.modules;
  }

  #isElsewhere(file: string): boolean {
    return this.#options.isKnown?.(file) === true;
  }

  /** What the roots lead to, and of that what was not read yet. */
  #reach(
    modules: ReadonlyMap<string, KnownModule>,
    roots: readonly string[],
  ): { modules: Map<string, KnownModule>; missing: string[] } {
    const reached = new Map<string, KnownModule>();
    const missing = new Set<string>();
    const queue = [...roots];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      const module = modules.get(file);
      if (module === undefined && !this.#isElsewhere(file)) missing.add(file);
      if (module === undefined || reached.has(file)) continue;
      reached.set(file, module);
      for (const { file: next } of module.imports.values()) queue.push(next);
    }
    return { modules: reached, missing: [...missing] };
  }

  async #compile(modules: Map<string, KnownModule>, formats: ReadonlyMap<string, ModuleFormat>): Promise<void> {
    const stale = [...modules.values()].filter(({ file, made, hash }) =>
      formats.has(file) ? made?.format !== formats.get(file) : hash === '',
    );
    for (const module of stale.filter(({ file }) => !formats.has(file)))
      modules.set(module.file, { ...module, hash: hashOf(readFileSync(module.file)) });
    for (const format of ['module', 'commonjs'] as const) {
      const files = stale.map(({ file }) => file).filter((file) => formats.get(file) === format);
      for (const [file, code] of await compileModules(files, format)) {
        const module = modules.get(file);
        if (module !== undefined) modules.set(file, { ...module, ...this.#keep(code, format) });
      }
    }
  }

  #keep({ text, names }: ModuleCode, format: ModuleFormat): { made: ManifestModule; hash: string } {
    const hash = hashOf(text);
    const code = `${hash}.${format === 'module' ? 'mjs' : 'cjs'}`;
    const path = join(this.#options.outDir, code);
    if (!existsSync(path)) {
      mkdirSync(this.#options.outDir, { recursive: true });
      writeFileSync(path, text);
    }
    return { made: { format, code, ...(names === undefined ? {} : { names }) }, hash };
  }

  /** What a worker gets of each file. */
  hashes(): Map<string, string> {
    return new Map([...this.#modules].map(([file, { hash }]) => [file, hash]));
  }

  manifest(): Manifest {
    const modules: Record<string, ManifestModule> = {};
    const resolutions: Record<string, Record<string, string>> = {};
    for (const { file, made, imports } of this.#modules.values()) {
      if (made !== undefined) modules[file] = made;
      if (imports.size > 0)
        resolutions[file] = Object.fromEntries([...imports].map(([key, target]) => [key, target.file]));
    }
    return { modules, resolutions };
  }
}

/**
 * The extension decides, else the syntax, whatever package.json says of it. What is required is CommonJS, with all that it
 * imports: Node 20 cannot `require` an ES module that a hook compiles.
 */
function formatsOf(modules: ReadonlyMap<string, KnownModule>, roots: readonly string[]): Map<string, ModuleFormat> {
  const formats = new Map<string, ModuleFormat>();
  for (const { file, syntax } of modules.values())
    if (compiledFile.test(file)) formats.set(file, formatByName(file) ?? (syntax === 'esm' ? 'module' : 'commonjs'));
  const queue: string[] = [];
  for (const { file, imports } of modules.values()) {
    for (const { file: target, kind } of imports.values())
      if (kind === 'require' || (kind === 'static' && formats.get(file) === 'commonjs')) queue.push(target);
  }
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (formats.get(file) !== 'module' || roots[0] === file) continue;
    formats.set(file, 'commonjs');
    for (const { file: target, kind } of modules.get(file)?.imports.values() ?? [])
      if (kind === 'static') queue.push(target);
  }
  return formats;
}

function formatByName(file: string): ModuleFormat | undefined {
  const extension = extname(file);
  return extension === '.mts' ? 'module' : extension === '.cts' ? 'commonjs' : undefined;
}

/** A file that was written within the clock's grain of `sinceMs` is taken as not read. */
function stampOf(file: string, sinceMs = Number.POSITIVE_INFINITY): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined || stat.mtimeMs >= sinceMs - 20 ? '' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
}

function hashOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}
