import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { oddAnswersVariable } from './odd-answers-variable.ts';

interface Watched {
  /** For the runtime, before the program. */
  nodeArguments: readonly string[];
  env: Record<string, string>;
}

let watch: { file: string; watched: Watched } | undefined;

/** What makes an engine's process compare its answers with the OpenAPI document, as those of this process are. */
export function watchedProcess(): Watched {
  if (watch !== undefined) return watch.watched;
  const folder = mkdtempSync(join(tmpdir(), 'hatchet-answers-'));
  const file = join(folder, 'odd');
  const program = join(folder, 'watch.cjs');
  writeFileSync(file, '');
  buildSync({
    entryPoints: [join(import.meta.dirname, 'watch-answers.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'warning',
  });
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  watch = { file, watched: { nodeArguments: ['--require', program], env: { [oddAnswersVariable]: file } } };
  return watch.watched;
}

/** What they have told since this was last asked. */
export function oddAnswersOfProcesses(): unknown[] {
  if (watch === undefined) return [];
  const lines = readFileSync(watch.file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  if (lines.length > 0) writeFileSync(watch.file, '');
  return lines.map((line): unknown => JSON.parse(line));
}
