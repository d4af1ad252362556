// oxlint-disable no-underscore-dangle -- the names are Node's
import Module, { createRequire } from 'node:module';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { BuildOptions, BuildResult } from 'esbuild';
import { findFile } from './find-file.ts';
import { isForeign } from './is-foreign.ts';
import type { LoadReport } from './load-report.ts';
import { codeOptions, finishCode } from './code-options.ts';
import { resolutionKey, type ReadManifest } from './manifest.ts';

type Loader = (module: CommonJsModule, file: string) => void;

interface CommonJsModule {
  filename: string | null;
  _compile(code: string, file: string): void;
}

/** What Node leaves open to be replaced, and every loader of other languages has replaced for a decade. */
interface CommonJsLoader {
  _resolveFilename(request: string, parent: CommonJsModule | null | undefined, ...rest: unknown[]): string;
  _extensions: Record<string, Loader | undefined>;
}

const compiledExtensions = ['.ts', '.tsx', '.jsx', '.cts', '.mts'];

/** The same for `require` as the loader's hooks are for `import`. It runs in the thread of the code, and cannot wait. */
export function hookCommonJs(manifest: ReadManifest, report: LoadReport | undefined): void {
  const loader: unknown = Module;
  if (!isLoader(loader)) return;
  const resolveFilename = loader._resolveFilename.bind(loader);
  loader._resolveFilename = (request, parent, ...rest) => {
    const importer = parent?.filename ?? undefined;
    const known = importer === undefined ? undefined : manifest.resolve(importer, resolutionKey('require', request));
    // What was written as an ES module and made CommonJS names the same by its imports.
    const meant =
      known ??
      (importer === undefined || manifest.module(importer)?.format !== 'commonjs'
        ? undefined
        : manifest.resolve(importer, resolutionKey('import', request)));
    if (meant !== undefined) return meant;
    try {
      return resolveFilename(request, parent, ...rest);
    } catch (error) {
      const path = isAbsolute(request)
        ? request
        : request.startsWith('.') && importer !== undefined
          ? resolve(dirname(importer), request)
          : undefined;
      const file = path === undefined || (importer !== undefined && isForeign(importer)) ? undefined : findFile(path);
      if (file === undefined) throw error;
      return file;
    }
  };
  for (const extension of compiledExtensions) {
    loader._extensions[extension] = (module, file) => {
      report?.add(file);
      const made = manifest.module(file);
      module._compile((made?.format === 'commonjs' ? manifest.code(made) : undefined) ?? compileNow(file), file);
    };
  }
  for (const extension of ['.js', '.json']) {
    const load = loader._extensions[extension];
    if (load === undefined) continue;
    loader._extensions[extension] = (module, file) => {
      if (!isForeign(file)) report?.add(file);
      load(module, file);
    };
  }
}

function isLoader(value: unknown): value is CommonJsLoader {
  return typeof value === 'function' && '_resolveFilename' in value && '_extensions' in value;
}

/** What no import names, such as a file of a computed `require`. It costs a process of esbuild's. */
function compileNow(file: string): string {
  const { buildSync }: { buildSync: (options: BuildOptions) => BuildResult } = createRequire(import.meta.url)(
    'esbuild',
  );
  const { outputFiles = [] } = buildSync({ ...codeOptions('commonjs'), entryPoints: [file] });
  const textOf = (ending: RegExp): string | undefined => outputFiles.find(({ path }) => ending.test(path))?.text;
  return finishCode(file, { format: 'commonjs', text: textOf(/\.js$/) ?? '', map: textOf(/\.map$/) }).text;
}
