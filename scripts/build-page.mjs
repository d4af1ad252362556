// Bundles page/ for browsers: dist/page/index.html, and dist/page/assets with a hash in each name, gzipped beside.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const entry = 'page/main.tsx';

/** @param bundle esbuild's @param outdir made where there is a page, and what it is bundled of: that is there for development alone */
export async function buildPage(bundle, root, outdir) {
  if (!existsSync(join(root, entry)) || !isInstalled('react-dom', root)) return;
  const assets = join(outdir, 'assets');
  const { metafile } = await bundle({
    absWorkingDir: root,
    entryPoints: [entry],
    outdir: assets,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    loader: { '.svg': 'dataurl' },
    // No folder in a name: the engine knows each file by its name alone.
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  const [script, { cssBundle }] = Object.entries(metafile.outputs).find(([, each]) => each.entryPoint === entry);
  mkdirSync(outdir, { recursive: true });
  writeFileSync(join(outdir, 'index.html'), documentOf(basename(script), cssBundle && basename(cssBundle)));
  for (const folder of [outdir, assets])
    for (const { name } of readdirSync(folder, { withFileTypes: true }).filter((each) => each.isFile())) {
      const bytes = readFileSync(join(folder, name));
      const gzipped = gzipSync(bytes, { level: 9 });
      if (gzipped.length < bytes.length) writeFileSync(join(folder, `${name}.gz`), gzipped);
    }
}

function isInstalled(name, root) {
  try {
    createRequire(join(root, 'package.json')).resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** An icon by its address in the document: else browsers ask for /favicon.ico. */
const icon =
  'data:image/svg+xml,' +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#2563eb"/><path d="M4 3v10M12 3v10M4 8h8" stroke="#fff" stroke-width="2" fill="none"/></svg>',
  );

function documentOf(script, style) {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<title>Hatchet</title>',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<link rel="icon" href="${icon}">`,
    ...(style === undefined ? [] : [`<link rel="stylesheet" href="/assets/${style}">`]),
    `<script type="module" src="/assets/${script}"></script>`,
    '</head>',
    '<body>',
    '<div id="root"></div>',
    '<noscript>This page needs JavaScript. The same is shown by the command: hatchet tui</noscript>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}
