import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Hatchet } from '../../sdk/index.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

const root = join(import.meta.dirname, '..', '..');
/** Below the package, so that bare imports resolve. */
const folder = join(root, 'node_modules', `.sdk-process-${process.pid}`);

const fixture = engineFixture('sdk-process', { logLevel: 'error', workerTimeoutMs: 6_000 });
let hatchet: Hatchet;
const children: ChildProcess[] = [];

async function bundle(): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: [
      join(root, 'sdk/index.ts'),
      join(root, 'test/fixtures/sdk-parity/process/worker.ts'),
      join(root, 'test/fixtures/sdk-parity/process/client.ts'),
    ],
    outdir: folder,
    bundle: true,
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    metafile: true,
    logLevel: 'error',
  });
  return metafile;
}

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  await bundle();
  ({ hatchet } = fixture);
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    await ended(child);
  }
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
});

interface Program {
  child: ChildProcess;
  output(): string;
  /** Resolves when the text was printed. */
  printed(text: string): Promise<void>;
  end(): Promise<number | null>;
}

function program(name: 'worker' | 'client'): Program {
  const environment = { ...process.env, HATCHET_CLIENT_TOKEN: fixture.engine.token };
  const child = spawn(process.execPath, [join(folder, 'test/fixtures/sdk-parity/process', `${name}.mjs`)], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
  return {
    child,
    output: () => output,
    printed: async (text) => {
      await expect.poll(() => output, { interval: 10 }).toContain(text);
    },
    end: () => ended(child),
  };
}

function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

describe('programs', () => {
  it('a client ends by itself once it has its result', async () => {
    const worker = program('worker');
    await worker.printed('ready');
    const client = program('client');
    expect(await client.end()).toBe(0);
    expect(client.output()).toBe('{"process-brief":{"finished":true}}\n');
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('a worker finishes its task on %s, and ends with 0', async (signal) => {
    const worker = program('worker');
    await worker.printed('ready');
    const ref = await hatchet.runNoWait('process-brief', {});
    await worker.printed('started process-brief');
    worker.child.kill(signal);
    expect(await worker.end()).toBe(0);
    await expect(ref.result()).resolves.toEqual({ 'process-brief': { finished: true } });
    expect(worker.output()).toContain('stopped');
  });

  it('a second signal ends a worker at once', async () => {
    const worker = program('worker');
    await worker.printed('ready');
    const ref = await hatchet.runNoWait('process-endless', {});
    await worker.printed('started process-endless');
    worker.child.kill('SIGTERM');
    await worker.printed('stopping');
    worker.child.kill('SIGTERM');
    expect(await worker.end()).toBe(143);
    await ref.cancel();
  });

  it('a task that keeps the event loop busy does not lose its worker', async () => {
    const worker = program('worker');
    await worker.printed('ready');
    // The engine of this test gives a worker up after 6 s of silence.
    await expect(hatchet.run('process-busy', { ms: 9_000 })).resolves.toEqual({ 'process-busy': { attempt: 0 } });
  });

  it('a worker that the engine no longer knows registers again', async () => {
    const worker = program('worker');
    await worker.printed('ready');
    await fixture.engine.stop();
    const client = new Client({ connectionString: fixture.database.url });
    await client.connect();
    await client.query('DELETE FROM worker');
    await client.end();
    await fixture.startAgain();
    await expect(hatchet.run('process-brief', {})).resolves.toEqual({ 'process-brief': { finished: true } });
    expect(worker.output().match(/ready/g)).toHaveLength(2);
  });
});

describe('the package', () => {
  it('pulls in nothing of the engine or the CLI', async () => {
    const { inputs, outputs } = await bundle();
    const own = Object.keys(inputs).filter((file) => !file.startsWith('test/'));
    expect(own.filter((file) => !/^(?:link|sdk|proto\/gen)\//.test(file))).toEqual([]);
    const packages = (kind: 'import-statement' | 'dynamic-import'): string[] => {
      const imports = Object.values(outputs).flatMap((output) => output.imports);
      return [
        ...new Set(
          imports
            .filter((each) => each.external === true && each.kind === kind && !isBuiltin(each.path))
            .map((each) => each.path),
        ),
      ].sort();
    };
    expect(packages('import-statement')).toEqual(['@bufbuild/protobuf/wire', '@grpc/grpc-js', 'uuidv7']);
    // Not before a sandbox is made.
    expect(packages('dynamic-import')).toEqual(['esbuild']);
  });
});
