import { chmodSync, existsSync, mkdirSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TemplateFile } from './find-template.ts';

/** Each file whole or not at all, in the order given: whatever ends the process leaves no file cut short. */
export function writeFiles(folder: string, files: readonly TemplateFile[]): void {
  for (const { path, text } of files) {
    const named = join(folder, path);
    mkdirSync(dirname(named), { recursive: true });
    replaceFile(named, text);
  }
}

function replaceFile(named: string, text: string): void {
  // A link stays one.
  const full = existsSync(named) ? realpathSync(named) : named;
  const temporary = `${full}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text);
    if (existsSync(full)) chmodSync(temporary, statSync(full).mode);
    renameSync(temporary, full);
  } finally {
    rmSync(temporary, { force: true });
  }
}
