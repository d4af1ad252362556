import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { packageRoot } from '../../base/package-version.ts';

/** A file of the page, as it is sent. */
export interface PageFile {
  bytes: Buffer<ArrayBuffer>;
  /** Undefined where it would be no shorter. */
  gzipped: Buffer<ArrayBuffer> | undefined;
  type: string;
}

/** The page as it was built: one document, and what that loads. */
export interface PageFiles {
  document: PageFile;
  /** By name, which holds a hash of what is in the file. */
  assets: ReadonlyMap<string, PageFile>;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** Where scripts/build.mjs puts it. */
export function builtPage(): string {
  return join(packageRoot(), 'dist', 'page');
}

/** All of the page, some hundred kilobytes; undefined where it was not built. A request reads no file, so that no path leads out. */
export function readPage(folder = builtPage()): PageFiles | undefined {
  const files = readFiles(folder);
  const document = files.get('index.html');
  return document === undefined ? undefined : { document, assets: readFiles(join(folder, 'assets')) };
}

function readFiles(folder: string): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  const names = new Set(namesIn(folder));
  for (const name of names) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const gzipped = names.has(`${name}.gz`) ? readFileSync(join(folder, `${name}.gz`)) : undefined;
    files.set(name, { bytes: readFileSync(join(folder, name)), gzipped, type });
  }
  return files;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
