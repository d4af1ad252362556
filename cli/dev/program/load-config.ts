import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseEnv } from 'node:util';
import { wrongUse } from '../../cli-error.ts';
import type { HatchetConfig } from '../../config.ts';
import { isRecord } from '../../project/json-value.ts';

const configNames = ['hatchet.config.ts', 'hatchet.config.mjs', 'hatchet.config.js'];

/** A project's `hatchet.config.ts`; an empty one where there is none. It is the project's code: only dev and worker load it. */
export async function loadConfig(project: string, outDir: string): Promise<HatchetConfig> {
  const path = configNames.map((name) => join(project, name)).find((candidate) => existsSync(candidate));
  if (path === undefined) return {};
  const outfile = join(outDir, `config-${process.pid}-${Date.now()}.mjs`);
  try {
    mkdirSync(outDir, { recursive: true });
    const { build } = await import('esbuild');
    await build({
      entryPoints: [path],
      absWorkingDir: project,
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
      packages: 'external',
      logLevel: 'silent',
    });
    const loaded: unknown = await import(pathToFileURL(outfile).href);
    return checked(isRecord(loaded) ? loaded['default'] : undefined, path);
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'CliError') throw cause;
    throw wrongUse(`${path} cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`);
  } finally {
    rmSync(outfile, { force: true });
  }
}

function checked(value: unknown, path: string): HatchetConfig {
  if (!isRecord(value))
    throw wrongUse(`${path} exports no configuration`, 'End it with `export default defineConfig({ … })`.');
  const { dev } = value;
  if (dev === undefined) return {};
  if (!isRecord(dev)) throw wrongUse(`dev in ${path} is no object`, "Write it as dev: { entry: 'src/worker.ts' }.");
  const { entry, watch, envFile } = dev;
  if (entry !== undefined && typeof entry !== 'string')
    throw wrongUse(`dev.entry in ${path} is no text`, "Give a path such as 'src/worker.ts'.");
  if (envFile !== undefined && typeof envFile !== 'string')
    throw wrongUse(`dev.envFile in ${path} is no text`, "Give a path such as '.env.local'.");
  if (watch !== undefined && !isTextList(watch))
    throw wrongUse(`dev.watch in ${path} is no list of paths`, "Give one such as ['prompts', 'config.json'].");
  return {
    dev: {
      ...(entry === undefined ? {} : { entry }),
      ...(envFile === undefined ? {} : { envFile }),
      ...(watch === undefined ? {} : { watch }),
    },
  };
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

const usualEntries = ['src/worker.ts', 'worker.ts'];

/** The worker's program: the argument, else the configuration's, else a usual one. @throws CliError with exit code 2 */
export function findEntry(options: {
  cwd: string;
  project: string;
  given: string | undefined;
  config: HatchetConfig;
}): string {
  const { cwd, project, given, config } = options;
  const named =
    given === undefined
      ? config.dev?.entry === undefined
        ? undefined
        : resolve(project, config.dev.entry)
      : resolve(cwd, given);
  if (named !== undefined) {
    if (!existsSync(named))
      throw wrongUse(
        `the worker's program ${named} does not exist`,
        given === undefined
          ? 'Correct dev.entry in hatchet.config.ts.'
          : 'Check the path: it counts from the folder in which the command runs.',
      );
    return named;
  }
  const found = usualEntries.map((name) => join(project, name)).find((path) => existsSync(path));
  if (found === undefined)
    throw wrongUse(
      `${project} has no worker: neither ${usualEntries.join(' nor ')}`,
      'Go to the folder of your project, name its program (`hatchet dev path/to/worker.ts`), or make a project with `hatchet init`.',
    );
  return found;
}

/** As Node reads one, after a byte order mark, which editors of Windows write. @throws CliError with exit code 2 where a named file cannot be read */
export function readEnvFile(project: string, given: string | undefined): Record<string, string | undefined> {
  const path = resolve(project, given ?? '.env');
  try {
    return { ...parseEnv(readFileSync(path, 'utf8').replace(/^\uFEFF/, '')) };
  } catch (cause) {
    if (given === undefined) return {};
    throw wrongUse(
      `the env file ${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Check the path that --env-file or the configuration gives.',
    );
  }
}
