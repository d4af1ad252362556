import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { packageRoot } from './engine-process.ts';
import { runCli } from './run-cli.ts';

interface Manifest {
  bin?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const manifestOf = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/**
 * A project from a template, with what `npm install` would bring, without a registry: this checkout as its package, and this
 * checkout's own copies of the packages that the template asks for.
 */
export async function makeLinkedProject(folder: string, template: string): Promise<string> {
  const made = await runCli(['init', 'demo', '--template', template, '--yes'], { cwd: folder });
  if (made.code !== 0) throw new Error(made.stderr);
  const project = join(folder, 'demo');
  linkPackages(project);
  return project;
}

/** Links what the project's package.json asks for, with the commands that it has. */
export function linkPackages(project: string): void {
  const { dependencies, devDependencies } = manifestOf(project);
  const packages = join(project, 'node_modules');
  mkdirSync(join(packages, '.bin'), { recursive: true });
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    const source = name === 'hatchet-ts' ? packageRoot : join(packageRoot, 'node_modules', name);
    mkdirSync(dirname(join(packages, name)), { recursive: true });
    symlinkSync(source, join(packages, name), 'dir');
    for (const [command, file] of Object.entries(binsOf(name, source)))
      symlinkSync(relative(join(packages, '.bin'), join(packages, name, file)), join(packages, '.bin', command));
  }
}

function binsOf(name: string, folder: string): Record<string, string> {
  const bin: unknown = manifestOf(folder).bin;
  return typeof bin === 'string' ? { [name]: bin } : { ...Object(bin) };
}
