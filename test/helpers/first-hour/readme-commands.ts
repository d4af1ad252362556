import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../engine-process.ts';

const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');

/** What the README has its reader type for a project of their own, line by line. */
export function projectCommands(template: string): string[] {
  const blocks = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
  const block = blocks.find((text) => /\bhatchet init demo --template \w+/.test(text));
  if (block === undefined) throw new Error('README.md says no more how a project is made');
  const lines = block
    .replaceAll('<clone>', packageRoot)
    .replace(/--template \w+/, `--template ${template}`)
    .trim()
    .split('\n');
  return lines.map((line) => line.replace(/\s+#.*$/, ''));
}

/** The templates that the README names. */
export function namedTemplates(): string[] {
  const line = /^Templates: (.*)$/m.exec(readme)?.[1] ?? '';
  return [...line.matchAll(/`(\w+)` \(/g)].map((match) => match[1] ?? '');
}
