import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** How a worker loads a project's modules: what the CLI has found out and made of them beforehand. One file a build. */
export interface Manifest {
  modules: Readonly<Record<string, ManifestModule>>;
  /** By importing file, then by `resolutionKey`: the file meant. What is not here is Node's to find. */
  resolutions: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export type ModuleFormat = 'module' | 'commonjs';

export interface ManifestModule {
  format: ModuleFormat;
  /** Its JavaScript: a file beside the manifest. */
  code: string;
  /** Of CommonJS: what an ES module may import from it by name. */
  names?: readonly string[];
}

/** `exports` of a package may lead `import` and `require` to different files. */
export function resolutionKey(kind: 'import' | 'require', specifier: string): string {
  return `${kind} ${specifier}`;
}

/** A manifest that was written, with its code read as it is asked for. */
export class ReadManifest {
  readonly #folder: string;
  readonly #modules: ReadonlyMap<string, ManifestModule>;
  readonly #resolutions: ReadonlyMap<string, Readonly<Record<string, string>>>;

  constructor(path: string) {
    const manifest: Manifest = JSON.parse(readFileSync(path, 'utf8'));
    this.#folder = dirname(path);
    this.#modules = new Map(Object.entries(manifest.modules));
    this.#resolutions = new Map(Object.entries(manifest.resolutions));
  }

  module(file: string): ManifestModule | undefined {
    return this.#modules.get(file);
  }

  /** Nothing where the file is gone, as after a clean-up of the folder. */
  code(module: ManifestModule): string | undefined {
    try {
      return readFileSync(join(this.#folder, module.code), 'utf8');
    } catch {
      return undefined;
    }
  }

  resolve(importer: string, key: string): string | undefined {
    return this.#resolutions.get(importer)?.[key];
  }
}
