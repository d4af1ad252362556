import { build } from 'esbuild';
import { codeOptions, finishCode, type ModuleCode } from './code-options.ts';
import type { ModuleFormat } from './manifest.ts';

/** Each file by itself. @throws esbuild's BuildFailure */
export async function compileModules(
  files: readonly string[],
  format: ModuleFormat,
): Promise<ReadonlyMap<string, ModuleCode>> {
  if (files.length === 0) return new Map();
  const { outputFiles = [] } = await build({
    ...codeOptions(format),
    entryPoints: files.map((file, at) => ({ in: file, out: String(at) })),
  });
  const outputs = new Map(outputFiles.map(({ path, text }) => [path.slice(path.search(/[^/\\]+$/)), text]));
  return new Map(
    files.map((file, at) => [
      file,
      finishCode(file, { format, text: outputs.get(`${at}.js`) ?? '', map: outputs.get(`${at}.js.map`) }),
    ]),
  );
}
