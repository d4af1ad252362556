import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../package-root.ts';
import { CommandBuilder } from './command-builder.ts';
import { GlobWatcher } from '../watch/glob-watcher.ts';
import { findEntry, loadConfig } from './load-config.ts';
import { loadYaml, type YamlConfig } from './load-yaml.ts';
import { ModuleBuilder } from '../modules/module-builder.ts';
import type { Program } from './program.ts';
import { TypeChecker } from './type-checker.ts';
import { Watcher } from '../watch/watcher.ts';

/** An entry that is given beats a `hatchet.yaml`. @throws CliError with exit code 2 */
export async function findProgram(options: {
  cwd: string;
  project: string;
  buildDir: string;
  given: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
}): Promise<Program> {
  const { cwd, project, buildDir, given, env } = options;
  const yaml = given === undefined ? loadYaml(project) : undefined;
  if (yaml !== undefined) return commandProgram({ project, yaml, env });
  const config = await loadConfig(project, buildDir);
  // The real path, as Node has it for a module's URL.
  const entry = realpathSync(findEntry({ cwd, project, given, config }));
  return {
    envFile: config.dev?.envFile,
    makeBuilder: (emit) => new ModuleBuilder({ project, entry, outDir: buildDir, emit }),
    makeWatcher: (emit) => {
      const watcher = new Watcher(emit);
      watcher.cover([entry, ...(config.dev?.watch ?? []).map((path) => join(project, path, '*'))]);
      return watcher;
    },
    makeTypes: (emit) => new TypeChecker({ project, entry, emit }),
    args: ['--enable-source-maps', '--import', pathToFileURL(distFile('worker-preload.js')).href, entry],
    mayStartAhead: true,
  };
}

function commandProgram({
  project,
  yaml,
  env,
}: {
  project: string;
  yaml: YamlConfig;
  env: Readonly<Record<string, string | undefined>>;
}): Program {
  return {
    envFile: yaml.envFile,
    makeBuilder: (emit) => new CommandBuilder({ project, yaml, env, emit }),
    makeWatcher: (emit) => new GlobWatcher({ project, files: yaml.files, emit }),
    makeTypes: () => undefined,
    args: [distFile('command-runner.js'), yaml.runCmd],
    mayStartAhead: false,
  };
}

function distFile(name: string): string {
  return resolve(packageRoot().folder, 'dist', 'cli', 'dev', name);
}
