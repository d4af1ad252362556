/**
 * Node's hooks of a worker, in the thread that Node gives them: a module is what the manifest has for its file, under its
 * own URL. What the manifest lacks (a computed import, a thread's program) is read and compiled here.
 */
import { readFileSync } from 'node:fs';
import type { InitializeHook, LoadHook, ResolveHook } from 'node:module';
import { dirname, isAbsolute, resolve as resolvePath } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { MessagePort } from 'node:worker_threads';
import { compiledFile } from './code-options.ts';
import { findFile } from './find-file.ts';
import { isForeign } from './is-foreign.ts';
import { ReadManifest, resolutionKey, type ManifestModule } from './manifest.ts';
import type { ModuleGraph } from './module-graph.ts';
import { LoadReport } from './load-report.ts';

export interface HooksData {
  manifest: string;
  project: string;
  /** Whether to write down what is loaded, for the CLI to watch. */
  reports: boolean;
}

const jsonFile = /\.json$/;
/** As bundlers have it. */
const textFile = /\.txt$/;

let data: HooksData | undefined;
let manifest: ReadManifest | undefined;
let report: LoadReport | undefined;
let graph: ModuleGraph | undefined;
/** The program itself, for which `require.main` has to be what it expects. */
let mainFile: string | undefined;
/** Of the modules that were compiled here. */
let added: { modules: Record<string, ManifestModule>; resolutions: Record<string, Record<string, string>> } = {
  modules: {},
  resolutions: {},
};

export const initialize: InitializeHook<{ port: MessagePort }> = ({ port }) => {
  port.on('message', (start: HooksData) => {
    data = start;
    manifest = new ReadManifest(start.manifest);
    report = start.reports ? new LoadReport() : undefined;
    port.postMessage('ready');
  });
  port.unref();
};

export const resolve: ResolveHook = async (specifier, context, next) => {
  const { parentURL } = context;
  if (data === undefined || specifier.startsWith('node:')) return next(specifier, context);
  if (parentURL === undefined && specifier.startsWith('file:')) mainFile = fileURLToPath(withoutQuery(specifier));
  const importer = parentURL?.startsWith('file:') === true ? fileURLToPath(withoutQuery(parentURL)) : undefined;
  if (importer !== undefined && isForeign(importer)) return next(specifier, context);
  const [bare, query] = splitQuery(specifier);
  const known =
    importer === undefined
      ? undefined
      : (manifest?.resolve(importer, resolutionKey('import', bare)) ??
        added.resolutions[importer]?.[resolutionKey('import', bare)]);
  if (known !== undefined) return found(known, query);
  const path = bare.startsWith('file:')
    ? fileURLToPath(bare)
    : isAbsolute(bare)
      ? bare
      : bare.startsWith('.') && importer !== undefined
        ? resolvePath(dirname(importer), bare)
        : undefined;
  const file = path === undefined ? undefined : findFile(path);
  if (file !== undefined && (compiledFile.test(file) || file !== path)) return found(file, query);
  return next(specifier, context);
};

export const load: LoadHook = async (url, context, next) => {
  if (data === undefined || !url.startsWith('file:')) return next(url, context);
  const file = fileURLToPath(withoutQuery(url));
  if (isForeign(file)) return next(url, context);
  report?.add(file);
  if (jsonFile.test(file) && context.importAttributes['type'] === undefined)
    return { format: 'module', source: jsonModule(file), shortCircuit: true };
  if (textFile.test(file))
    return {
      format: 'module',
      source: `export default ${JSON.stringify(readFileSync(file, 'utf8'))};`,
      shortCircuit: true,
    };
  if (!compiledFile.test(file)) return next(url, context);
  const module = await moduleOf(file);
  if (module === undefined) return next(url, context);
  const source = module.made.format === 'commonjs' ? commonJsModule(file, module.made.names ?? []) : module.code;
  return { format: 'module', source, shortCircuit: true };
};

async function moduleOf(file: string): Promise<{ made: ManifestModule; code: string } | undefined> {
  const made = manifest?.module(file) ?? added.modules[file];
  const code = made === undefined ? undefined : manifest?.code(made);
  if (made !== undefined && code !== undefined) return { made, code };
  await compileHere(file);
  const own = added.modules[file];
  const ownCode = own === undefined ? undefined : manifest?.code(own);
  return own === undefined || ownCode === undefined ? undefined : { made: own, code: ownCode };
}

let compiling: Promise<void> = Promise.resolve();

/** With what it imports. One after the other: of two at once, each would compile what both import. */
function compileHere(file: string): Promise<void> {
  const known = compiling.then(async () => {
    if (data === undefined || added.modules[file] !== undefined) return;
    const { ModuleGraph: Graph } = await import('./module-graph.ts');
    const isKnown = (path: string): boolean => manifest?.module(path) !== undefined && path !== file;
    graph ??= new Graph({ project: data.project, outDir: dirname(data.manifest), isKnown });
    await graph.update([...graph.files, file]);
    const { modules, resolutions } = graph.manifest();
    added = {
      modules: { ...modules },
      resolutions: Object.fromEntries(Object.entries(resolutions).map(([importer, keys]) => [importer, { ...keys }])),
    };
  });
  compiling = known.catch(() => undefined);
  return known;
}

function found(file: string, query: string): { url: string; shortCircuit: true } {
  return { url: pathToFileURL(file).href + query, shortCircuit: true };
}

function splitQuery(specifier: string): [string, string] {
  const at = specifier.search(/[?]/);
  return at < 1 ? [specifier, ''] : [specifier.slice(0, at), specifier.slice(at)];
}

function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/, '');
}

/** Executes the file by the CommonJS loader, so that those who require it have the same instance. */
function commonJsModule(file: string, names: readonly string[]): string {
  const path = JSON.stringify(file);
  const loaded = file === mainFile ? `Module._load(${path}, null, true)` : `Module.createRequire(${path})(${path})`;
  return [
    `import Module from 'node:module';`,
    `const module = ${loaded};`,
    ...exportsOf('module', names),
    `export default module?.__esModule && 'default' in module ? module.default : module;`,
  ].join('\n');
}

function jsonModule(file: string): string {
  const text = readFileSync(file, 'utf8');
  const value: unknown = parseJson(text, file);
  const names =
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.keys(value).filter((name) => /^[A-Za-z_$][\w$]*$/.test(name) && name !== 'default')
      : [];
  return [
    `const value = JSON.parse(${JSON.stringify(text)});`,
    ...exportsOf('value', names),
    'export default value;',
  ].join('\n');
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Under names of their own first: an export may be called as a reserved word. */
function exportsOf(object: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  return [
    ...names.map((name) => `const $${name} = ${object}[${JSON.stringify(name)}];`),
    `export { ${names.map((name) => `$${name} as ${name}`).join(', ')} };`,
  ];
}
