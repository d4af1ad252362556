import { extname } from 'node:path';
import type { BuildFailure, BuildOptions, Plugin } from 'esbuild';
import { HatchetError } from '../../errors.ts';
import { fieldOf, isList } from '../../failure/safe-reads.ts';
import { messageOf } from '../../failure/describe-failure.ts';

const shared: BuildOptions = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  sourcemap: 'inline',
  sourcesContent: false,
  logLevel: 'silent',
  define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
};

/** Packages stay where they are: they are part of the installation, and may have files beside their code. */
const packagesInPlace: Plugin = {
  name: 'packages-in-place',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path, kind, pluginData, ...place }) => {
      if (kind === 'entry-point' || pluginData === packagesInPlace) return undefined;
      const found = await build.resolve(path, {
        kind,
        pluginData: packagesInPlace,
        importer: place.importer,
        resolveDir: place.resolveDir,
      });
      if (!found.path.includes('node_modules')) return found;
      return {
        path: kind === 'require-call' || kind === 'require-resolve' ? found.path : `file://${found.path}`,
        external: true,
      };
    });
  },
};

/**
 * Writes a module with all that it imports as one file, for a sandbox, which reads nothing else.
 * @throws HatchetError ISOLATION_UNAVAILABLE
 */
export async function bundleWhole(module: string, outfile: string): Promise<void> {
  // esbuild itself is loaded by workers only.
  await bundle(module, { ...shared, entryPoints: [module], outfile, external: ['esbuild', '*.node'] });
}

/** Writes a module of TypeScript with those of its project that it imports as one file. @throws as bundleWhole */
export async function bundleProject(module: string, outfile: string): Promise<void> {
  await bundle(module, { ...shared, entryPoints: [module], outfile, plugins: [packagesInPlace] });
}

async function bundle(module: string, options: BuildOptions): Promise<void> {
  const { build } = await import('esbuild');
  try {
    await build(options);
  } catch (error) {
    const errors = isBuildFailure(error)
      ? error.errors
          .slice(0, 5)
          .map(({ text, location }) => (location === null ? text : `${location.file}:${location.line}: ${text}`))
      : [messageOf(error)];
    throw new HatchetError(
      'ISOLATION_UNAVAILABLE',
      `${module} and what it imports cannot be made one file (${extname(module)}): ${errors.join('; ')}`,
      { cause: error, remedy: 'Declare the task in a module that imports less' },
    );
  }
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return isList(fieldOf(error, 'errors'));
}
