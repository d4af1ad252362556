import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build, type Plugin } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningEngine } from '../../engine/base/engine-options.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

const root = join(import.meta.dirname, '..', '..');
const fixture = join(root, 'test/fixtures/sdk-parity');
/** Below the package, so that bare imports resolve. */
const folder = join(root, 'node_modules', `.sdk-parity-${process.pid}`);

const packages = {
  official: {
    specifier: '@hatchet-dev/typescript-sdk/v1',
    paths: {},
    alias: { '@hatchet-dev/typescript-sdk/v1': '@hatchet-dev/typescript-sdk/v1/index.js' },
  },
  ours: {
    specifier: 'hatchet-ts/v1',
    paths: { 'hatchet-ts/v1': [join(root, 'sdk/index.ts')] },
    alias: { 'hatchet-ts/v1': join(root, 'sdk/index.ts') },
  },
};

type Variant = keyof typeof packages;

/** The fixture with the variant's specifier: the only change. */
function writeVariant(variant: Variant): string {
  const target = join(folder, variant);
  mkdirSync(target, { recursive: true });
  const workflows = readFileSync(join(fixture, 'workflows.ts'), 'utf8');
  writeFileSync(
    join(target, 'workflows.ts'),
    workflows.replace("'../../../sdk/index.ts'", `'${packages[variant].specifier}'`),
  );
  writeFileSync(join(target, 'program.ts'), readFileSync(join(fixture, 'program.ts'), 'utf8'));
  return target;
}

async function typeErrors(variant: Variant): Promise<string> {
  const target = writeVariant(variant);
  const config = {
    compilerOptions: {
      target: 'es2023',
      module: 'esnext',
      moduleResolution: 'bundler',
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      strict: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      paths: packages[variant].paths,
    },
    files: ['program.ts'],
  };
  writeFileSync(join(target, 'tsconfig.json'), JSON.stringify(config));
  try {
    await promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', target]);
    return '';
  } catch (error) {
    return typeof error === 'object' && error !== null && 'stdout' in error ? String(error.stdout) : String(error);
  }
}

async function bundle(variant: Variant): Promise<string> {
  const target = writeVariant(variant);
  const outfile = join(target, 'program.mjs');
  const { alias } = packages[variant];
  await build({
    entryPoints: [join(target, 'program.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    logLevel: 'error',
    plugins: [resolveWith(alias)],
  });
  return outfile;
}

function resolveWith(alias: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'specifier',
    setup(build) {
      build.onResolve({ filter: /^(?:@hatchet-dev|hatchet-ts)\// }, ({ path }) => {
        const target = alias[path];
        if (target === undefined) return undefined;
        return target.startsWith('/') ? { path: target } : { path: target, external: true };
      });
    },
  };
}

async function run(
  variant: Variant,
  engine: RunningEngine,
  group: 'runs' | 'cancel',
): Promise<Record<string, unknown>> {
  const program = await bundle(variant);
  const environment = {
    ...process.env,
    HATCHET_CLIENT_TOKEN: engine.token,
    HATCHET_CLIENT_TLS_STRATEGY: 'none',
    HATCHET_CLIENT_LOG_LEVEL: 'WARN',
    HATCHET_CLIENT_NAMESPACE: '',
  };
  const child = spawn(process.execPath, [program, group], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: folder,
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const code = await new Promise((resolve) => child.once('exit', resolve));
  const last = output.trim().split('\n').at(-1);
  if (code !== 0 || last === undefined)
    throw new Error(
      `the ${variant} program ended with ${String(code)}:\n${errors.slice(-4_000)}\n${output.slice(-2_000)}`,
    );
  return JSON.parse(last);
}

const text = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

/** What both packages must print. */
const expected = {
  simple: { output: { message: 'hi' } },
  explicit: { output: { n: 2 } },
  nothing: { output: null },
  checked: { output: { double: 42 } },
  list: { output: [{ message: 'x' }, { message: 'y' }] },
  refs: {
    first: { message: 'a' },
    second: { message: 'b' },
    many: [{ message: 'c' }, { message: 'd' }],
    metadata: { k: 'v' },
    input: { message: 'C' },
  },
  bulk: { output: text(250).map((n) => Number(n) + 1) },
  flaky: { output: { attempt: 2 } },
  failing: { failed: ['because'] },
  hopeless: { failed: ['never'] },
  slow: true,
  extended: { output: { cancelled: false } },
  dag: { output: { double: { value: 10 }, triple: { value: 15 }, sum: { value: 25, names: ['double', 'triple'] } } },
  broken: { failed: ['bad parent'] },
  parent: { output: { one: 2, many: [11, 21], named: 'child' } },
  batched: { output: [2, 4, 6].map((doubled) => ({ doubled, of: 3 })) },
  summed: { output: [{ sum: 3 }, { sum: 3 }] },
  summedTooFar: [{ failed: ['too much for all'] }, { failed: ['too much for all'] }],
  context: {
    input: 7,
    sameInput: 7,
    taskRunExternalIdSet: true,
    taskName: 'parity-curious',
    workflowName: 'parity-curious',
    retryCount: 0,
    metadata: { origin: 'test', second: 'two' },
    priority: 3,
    hasWorkflow: true,
    workerIdSet: true,
    cancelled: false,
    childKey: null,
    sameRun: true,
  },
  reads: {
    run: ['COMPLETED', true],
    tasks: [['COMPLETED', 0]],
    status: 'COMPLETED',
    found: [['COMPLETED', true]],
    failed: 0,
    task: true,
  },
  calls: { flaky: 3, hopeless: 1, 'slow-aborted': 1, batched: 1 },
};

const expectedCancel = { cancelled: { status: 'CANCELLED', tasks: [['parity-waiting', 'CANCELLED', null]], calls: 1 } };

describe('one file of workflows, two packages', () => {
  const fixture = engineFixture('sdk-parity', { logLevel: 'warn' });

  beforeAll(() => void mkdirSync(folder, { recursive: true }));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(['official', 'ours'] as const)('compiles against the %s package', async (variant) => {
    expect(await typeErrors(variant)).toBe('');
  });

  it.each(['official', 'ours'] as const)('runs against the %s package', async (variant) => {
    expect(await run(variant, fixture.engine, 'runs')).toMatchObject(expected);
  });

  it.each(['official', 'ours'] as const)('cancels a running task with the %s package', async (variant) => {
    expect(await run(variant, fixture.engine, 'cancel')).toEqual(expectedCancel);
  });
});
