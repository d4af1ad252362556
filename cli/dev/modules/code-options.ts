import { pathToFileURL } from 'node:url';
import type { BuildOptions } from 'esbuild';
import type { ModuleFormat } from './manifest.ts';

/** What is compiled. Plain JavaScript is Node's own to load. */
export const compiledFile = /\.(?:[cm]?ts|tsx|jsx)$/;

export interface ModuleCode {
  text: string;
  /** Of CommonJS: the names that it exports. */
  names?: readonly string[];
}

/** For builds and for what a worker compiles itself, by which it has to be the same. */
export const target = 'node20.19';

const requireName = '__hatchetRequire';
const urlName = '__hatchetUrl';

/**
 * Compiling leaves a module where it is, but code that is written for one module system may use what only the other has:
 * each gets the other's names, where the code does not define them itself (which `define` heeds).
 */
const formatOptions: Record<ModuleFormat, BuildOptions> = {
  module: {
    format: 'esm',
    define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename', require: requireName },
  },
  commonjs: {
    format: 'cjs',
    define: { 'import.meta.url': urlName, 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
  },
};

export function codeOptions(format: ModuleFormat): BuildOptions {
  // The nearest tsconfig.json of each file counts, with what it extends: esbuild reads it.
  return {
    ...formatOptions[format],
    bundle: false,
    platform: 'node',
    target,
    sourcemap: 'external',
    sourcesContent: false,
    logLevel: 'silent',
    write: false,
    outdir: '/',
  };
}

/** Code with its source map, and with what its format lacks. */
export function finishCode(
  file: string,
  output: { format: ModuleFormat; text: string; map: string | undefined },
): ModuleCode {
  const { format, text, map } = output;
  // On the first line, so that the source map stays right.
  const code = `${banner(format, text)}${text}${map === undefined ? '' : mapComment(file, map)}`;
  return format === 'module' ? { text: code } : { text: code, names: exportedNames(text) };
}

function banner(format: ModuleFormat, text: string): string {
  if (format === 'module' && text.includes(requireName))
    return `import { createRequire as ${requireName}For } from 'node:module'; const ${requireName} = ${requireName}For(import.meta.url); `;
  if (format === 'commonjs' && text.includes(urlName))
    return `const ${urlName} = require('node:url').pathToFileURL(__filename).href; `;
  return '';
}

function mapComment(file: string, map: string): string {
  const parsed: Record<string, unknown> = JSON.parse(map);
  const text = JSON.stringify({ ...parsed, sources: [pathToFileURL(file).href] });
  return `//# sourceMappingURL=data:application/json;base64,${Buffer.from(text).toString('base64')}\n`;
}

/** As Node does for CommonJS in JavaScript, by what is assigned; esbuild lists them for code that was written as an ES module. */
function exportedNames(text: string): string[] {
  const names = new Set<string>();
  for (const [, name = ''] of text.matchAll(/(?:^|[^\w$.])(?:module\.)?exports\.([A-Za-z_$][\w$]*)\s*=(?!=)/g))
    names.add(name);
  for (const [, body = ''] of text.matchAll(/module\.exports = \{([^{}]*)\}/g)) {
    for (const part of body.split(',')) {
      const name = /^\s*([A-Za-z_$][\w$]*)\s*(?::|$)/.exec(part)?.[1];
      if (name !== undefined) names.add(name);
    }
  }
  names.delete('default');
  names.delete('__esModule');
  return [...names];
}
