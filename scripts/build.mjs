// Builds dist/ with esbuild, and the declarations with tsc where --types is given.
// A `file:` dependency runs this at each install beside it, while engines may be running from dist:
// nothing is touched when the inputs are unchanged, and a new build replaces the old one by renames.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPage } from './build-page.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = [
  'cli',
  'engine',
  'link',
  'page',
  'sdk',
  'testing',
  'proto/gen',
  'scripts/build.mjs',
  'scripts/build-page.mjs',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
];
const entries = [
  'cli/bin.ts',
  'cli/config.ts',
  'cli/embedded/sidecar.ts',
  'cli/dev/worker-preload.ts',
  'cli/dev/modules/loader-hooks.ts',
  'cli/dev/command-runner.ts',
  'cli/commands/bench/bench-worker.ts',
  'engine/main.ts',
  'engine/index.ts',
  'engine/cel/cel-thread.ts',
  'engine/payloads/payload-thread.ts',
  'sdk/index.ts',
  'sdk/opentelemetry/index.ts',
  'testing/index.ts',
  'testing/keeper-main.ts',
];

/** For those that cannot take ES modules, as jest. In one file: else each entry would have a copy of the SDK, with other classes. */
const commonJsEntries = { index: 'sdk/index', testing: 'testing/index', config: 'cli/config' };
/** Apart from the others, which must load where `@opentelemetry/api` is not installed; it has no classes of theirs. */
const commonJsAlone = { opentelemetry: 'sdk/opentelemetry/index' };
const engineBeside = {
  name: 'engine-beside',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.\/engine\/index\.ts$/ }, () => ({ path: './engine.cjs', external: true }));
  },
};

function files(path) {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  try {
    return readdirSync(full, { withFileTypes: true }).flatMap((entry) => files(join(path, entry.name)));
  } catch {
    return [path];
  }
}

function fingerprint(withTypes) {
  const hash = createHash('sha256')
    .update(process.version.split('.')[0])
    .update(withTypes ? 'types' : '');
  for (const file of sources.flatMap(files).sort()) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

async function buildCommonJs(bundle, outdir) {
  const settings = {
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    supported: { 'dynamic-import': false },
    logLevel: 'warning',
  };
  await bundle({
    ...settings,
    stdin: {
      contents: Object.entries(commonJsEntries)
        .map(([name, path]) => `export * as ${name} from './${path}.ts';`)
        .join('\n'),
      resolveDir: root,
    },
    outfile: join(outdir, 'all.cjs'),
    plugins: [engineBeside],
  });
  for (const [name, path] of Object.entries(commonJsAlone))
    await bundle({ ...settings, entryPoints: [join(root, `${path}.ts`)], outfile: join(outdir, `${name}.cjs`) });
  for (const name of Object.keys(commonJsEntries))
    writeFileSync(join(outdir, `${name}.cjs`), `'use strict';\nmodule.exports = require('./all.cjs').${name};\n`);
  copyFileSync(join(root, 'engine/index.cjs'), join(outdir, 'engine.cjs'));
  // Under `module: node16` TypeScript lets no CommonJS file import an ES module's declarations, and yet it reads them.
  for (const [name, path] of Object.entries({ ...commonJsEntries, ...commonJsAlone, engine: 'engine/index' }))
    writeFileSync(join(outdir, `${name}.d.cts`), `// @ts-ignore\nexport * from '../types/${path}.js';\n`);
}

export async function build({ types = false } = {}) {
  if (!existsSync(join(root, 'cli', 'bin.ts'))) return; // an installed package: dist came with it
  const dist = join(root, 'dist');
  const stamp = join(dist, '.fingerprint');
  const current = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  const wanted = [fingerprint(types), fingerprint(true)];
  if (wanted.includes(current)) return;

  const fresh = join(root, `.dist-${process.pid}`);
  rmSync(fresh, { recursive: true, force: true });
  try {
    const { build: bundle } = await import('esbuild');
    await bundle({
      entryPoints: entries.filter((entry) => existsSync(join(root, entry))).map((entry) => join(root, entry)),
      outdir: fresh,
      outbase: root,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
      packages: 'external',
      sourcemap: true,
      jsx: 'automatic',
      chunkNames: 'chunks/[name]-[hash]',
      logLevel: 'warning',
    });
    await buildCommonJs(bundle, join(fresh, 'cjs'));
    await buildPage(bundle, root, join(fresh, 'page'));
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    // Without development dependencies there is no compiler, and the programs run without declarations.
    if (types && existsSync(tsc)) {
      const run = spawnSync(
        process.execPath,
        [tsc, '-p', 'tsconfig.build.json', '--outDir', relative(root, join(fresh, 'types'))],
        { cwd: root, stdio: 'inherit' },
      );
      if (run.status !== 0) throw new Error('the type declarations could not be built; see the messages above');
    }
    mkdirSync(fresh, { recursive: true });
    writeFileSync(join(fresh, '.fingerprint'), wanted[0]);
    const old = join(root, `.dist-old-${process.pid}`);
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
    rmSync(old, { recursive: true, force: true });
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build({ types: process.argv.includes('--types') });
