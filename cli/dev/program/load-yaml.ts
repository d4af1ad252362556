import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { wrongUse } from '../../cli-error.ts';
import { isRecord } from '../../project/json-value.ts';

/** What a `hatchet.yaml` says: how the worker of a project in any language is run. */
export interface YamlConfig {
  /** Its name, for messages. */
  file: string;
  /** A shell command that runs until it is stopped. */
  runCmd: string;
  /** Patterns of the files whose change starts the worker anew. */
  files: readonly string[];
  /** Shell commands that come before the worker's first start. */
  preCmds: readonly string[];
  envFile: string | undefined;
}

const fileNames = ['hatchet.yaml', 'hatchet.yml'];
const known = ['runCmd', 'files', 'preCmds', 'envFile'];

/** Nothing where the project has none. @throws CliError with exit code 2 */
export function loadYaml(project: string): YamlConfig | undefined {
  const file = fileNames.find((name) => existsSync(join(project, name)));
  return file === undefined ? undefined : parseYaml(readFileSync(join(project, file), 'utf8'), file);
}

/** @throws CliError with exit code 2 */
export function parseYaml(text: string, file: string): YamlConfig {
  const invalid = (what: string, remedy?: string) => wrongUse(`${file}: ${what}`, remedy);
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause));
  }
  const dev = isRecord(value) ? value['dev'] : undefined;
  if (!isRecord(dev)) throw invalid('there is no `dev` in it', 'Write `dev:` with a `runCmd:` that starts the worker.');
  const unknown = Object.keys(dev).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid(`dev.${unknown} is unknown`, `Known are ${known.join(', ')}.`);
  const { runCmd, envFile } = dev;
  if (typeof runCmd !== 'string' || runCmd.trim() === '')
    throw invalid(
      'dev.runCmd is no command',
      'Write how the worker is started, such as `runCmd: python src/worker.py`.',
    );
  if (envFile !== undefined && typeof envFile !== 'string') throw invalid('dev.envFile is no path');
  const list = (name: string, usual: readonly string[]): readonly string[] => {
    const given = dev[name];
    if (given === undefined || given === null) return usual;
    if (!Array.isArray(given) || !given.every((each): each is string => typeof each === 'string' && each !== ''))
      throw invalid(`dev.${name} is no list of texts`);
    return given;
  };
  return { file, runCmd, files: list('files', ['**/*']), preCmds: list('preCmds', []), envFile };
}
