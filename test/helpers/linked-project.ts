import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './engine-process.ts';
import { runCli } from './run-cli.ts';

/** A project from a template, with this checkout as its package: what `npm install` would link, without a registry. */
export async function makeLinkedProject(folder: string, template: string): Promise<string> {
  const made = await runCli(['init', 'demo', '--template', template, '--yes'], { cwd: folder });
  if (made.code !== 0) throw new Error(made.stderr);
  const project = join(folder, 'demo');
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(packageRoot, join(project, 'node_modules', 'hatchet-ts'), 'dir');
  return project;
}
