import { isBuiltin } from 'node:module';
import { extname, isAbsolute, join, resolve } from 'node:path';
import { build, type ImportKind, type Plugin } from 'esbuild';
import { target } from './code-options.ts';
import { isForeign } from './is-foreign.ts';
import { resolutionKey } from './manifest.ts';

export interface ScannedModule {
  file: string;
  /** By its syntax; nothing where it has none of either. */
  syntax: 'esm' | 'cjs' | undefined;
  /** By `resolutionKey`. */
  imports: ReadonlyMap<string, ModuleImport>;
}

export interface ModuleImport {
  /** The project's file that is meant. */
  file: string;
  kind: 'static' | 'dynamic' | 'require';
}

/** What a module may be; anything else, such as an addon, is Node's to load and nobody's to read. */
const readable = new Set(['.ts', '.mts', '.cts', '.tsx', '.jsx', '.js', '.mjs', '.cjs', '.json', '.txt']);

/**
 * Reads modules and what they import, up to those that are known already and to packages. A package whose real place is
 * outside of every node_modules is one of a workspace, and belongs to the project.
 * @throws esbuild's BuildFailure: a mistake of syntax, or a file that is not there
 */
export async function scanModules(
  files: readonly string[],
  { project, isKnown }: { project: string; isKnown?: ((file: string) => boolean) | undefined },
): Promise<ScannedModule[]> {
  const found: FoundImports = new Map();
  const { metafile } = await build({
    entryPoints: files.map((file, at) => ({ in: file, out: String(at) })),
    absWorkingDir: project,
    outdir: join(project, '.hatchet', 'build'),
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target,
    // Without conditions of its own, esbuild adds one ("module") that Node does not know.
    conditions: [],
    // An import is made even where a package.json says that it has no effect.
    ignoreAnnotations: true,
    logLevel: 'silent',
    plugins: [noteImports({ found, isKnown })],
  });
  return Object.entries(metafile.inputs)
    .filter(([name]) => !name.startsWith('<'))
    .map(([name, { format, imports }]) => {
      const file = resolve(project, name);
      const noted = found.get(file) ?? new Map<string, ModuleImport>();
      for (const { path, kind, original, external } of imports) {
        if (external !== true && original !== undefined && isModuleImport(kind) && !isForeign(resolve(project, path)))
          note(noted, { specifier: original, kind, file: resolve(project, path) });
      }
      return { file, syntax: format, imports: noted };
    })
    .filter(({ file }) => !isForeign(file));
}

const passed = 'hatchet-passed';

/** What esbuild cannot tell alone: names of packages, and files of other kinds. A path costs 0.2 ms by a plugin, and next to nothing without. */
const notPaths = /^[^./]|\.(?:node|wasm)$/;

function note(
  imports: Map<string, ModuleImport>,
  { specifier, kind, file }: { specifier: string; kind: ImportKind; file: string },
): void {
  // `require.resolve` finds as `require` does, and leaves open who loads the file.
  const how = kind === 'import-statement' ? 'static' : kind === 'require-call' ? 'require' : 'dynamic';
  const key = resolutionKey(kind === 'require-call' || kind === 'require-resolve' ? 'require' : 'import', specifier);
  if (imports.get(key)?.kind !== 'static') imports.set(key, { file, kind: how });
}

type FoundImports = Map<string, Map<string, ModuleImport>>;

function noteImports({
  found,
  isKnown,
}: {
  found: FoundImports;
  isKnown: ((file: string) => boolean) | undefined;
}): Plugin {
  return {
    name: 'note-imports',
    setup(context) {
      context.onResolve(
        { filter: isKnown === undefined ? notPaths : /.*/ },
        async ({ path, kind, importer, resolveDir, pluginData }) => {
          if (kind === 'entry-point' || pluginData === passed || !isModuleImport(kind)) return undefined;
          if (isBuiltin(path) || /^[a-z][a-z+.-]+:/i.test(path)) return { path, external: true };
          const isOwn = path.startsWith('.') || isAbsolute(path);
          const {
            path: file,
            errors,
            external,
          } = await context.resolve(path, { kind, importer, resolveDir, namespace: 'file', pluginData: passed });
          if (errors.length > 0) return isOwn ? undefined : { path, external: true }; // undefined: esbuild says so, unless the code catches it
          if (external || !isAbsolute(file) || isForeign(file) || !readable.has(extname(file)))
            return { path, external: true };
          let imports = found.get(importer);
          if (imports === undefined) found.set(importer, (imports = new Map()));
          note(imports, { specifier: path, kind, file });
          if (isKnown?.(file) === true || kind === 'require-resolve') return { path, external: true };
          return { path: file, sideEffects: true };
        },
      );
    },
  };
}

function isModuleImport(kind: ImportKind): boolean {
  return (
    kind === 'import-statement' || kind === 'dynamic-import' || kind === 'require-call' || kind === 'require-resolve'
  );
}
