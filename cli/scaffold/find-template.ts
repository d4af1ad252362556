import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { wrongUse } from '../cli-error.ts';
import { packageRoot } from '../package-root.ts';

export interface TemplateFile {
  /** Relative, with `/`. */
  path: string;
  text: string;
}

function templatesFolder(): string {
  return join(packageRoot().folder, 'templates');
}

export function templateNames(): readonly string[] {
  return readdirSync(templatesFolder(), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
}

/** What a coding agent has to know of a project, of whatever template. */
export function agentsFile(): TemplateFile {
  const path = 'AGENTS.md';
  return { path, text: readFileSync(join(templatesFolder(), path), 'utf8') };
}

/** The first line of its README's text. */
export function templateSummary(name: string): string {
  const lines = readFileSync(join(templatesFolder(), name, 'README.md'), 'utf8').split('\n');
  return (lines.find((line) => line !== '' && !line.startsWith('#')) ?? '').replace(/[.:]$/, '');
}

/** @throws CliError with exit code 2 for an unknown name */
export function findTemplate(name: string): readonly TemplateFile[] {
  const known = templateNames();
  if (!known.includes(name))
    throw wrongUse(`there is no template ${JSON.stringify(name)}`, `Choose one of ${known.join(', ')}.`);
  const folder = join(templatesFolder(), name);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: path.slice(folder.length + 1).replaceAll('\\', '/'), text: readFileSync(path, 'utf8') }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
