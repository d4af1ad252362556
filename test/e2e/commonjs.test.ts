import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestEngine } from '../../testing/index.ts';
import { packageRoot } from '../helpers/engine-process.ts';
import { processesIn } from '../helpers/left-behind.ts';
import { runProgram, type CliResult } from '../helpers/run-cli.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';

const folder = makeTempFolder('commonjs');
const project = join(folder, 'project');
const temporary = join(folder, 'tmp');
const tool = (path: string): string => join(packageRoot, 'node_modules', path);

function runNode(args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> {
  return runProgram(process.execPath, args, { cwd: project, env: { TMPDIR: temporary, ...env } });
}

/** A user's CommonJS project, with the package as a link. */
beforeAll(() => {
  cpSync(join(packageRoot, 'test/fixtures/testing/commonjs-project'), project, { recursive: true });
  mkdirSync(temporary);
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(packageRoot, join(project, 'node_modules', 'hatchet-ts'));
  for (const name of ['esbuild', 'valibot', '@valibot']) symlinkSync(tool(name), join(project, 'node_modules', name));
  writeFileSync(join(project, 'package.json'), '{}');
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('jest', () => {
  const jest = [tool('jest/bin/jest.js'), '--cacheDirectory', join(folder, 'cache')];

  it.each([
    {
      name: 'without a flag, JavaScript and TypeScript, and ends by itself',
      files: 'engine|typescript',
      env: {},
      passed: 3,
    },
    {
      name: 'with --experimental-vm-modules, ES modules',
      files: 'esm',
      env: { NODE_OPTIONS: '--experimental-vm-modules' },
      passed: 1,
    },
  ])('$name', async ({ files, env, passed }) => {
    const { code, stderr } = await runNode([...jest, files], env);
    expect(stderr).toMatch(new RegExp(`^Tests: +${passed} passed, ${passed} total$`, 'm'));
    expect(stderr).not.toContain('did not exit');
    expect(code).toBe(0);
    expect([...readdirSync(temporary), ...processesIn(folder)]).toEqual([]);
  });
});

describe('Node', () => {
  it('without require of ES modules: a worker', async () => {
    const engine = await createTestEngine({ setEnvironment: false });
    const database = new Client({ connectionString: engine.databaseUrl });
    try {
      const env = {
        HATCHET_CLIENT_TOKEN: engine.token,
        HATCHET_CLIENT_HOST_PORT: engine.hostPort,
        HATCHET_CLIENT_API_URL: engine.apiUrl,
        HATCHET_CLIENT_TLS_STRATEGY: 'none',
      };
      const { code, stdout, stderr } = await runNode(['--no-experimental-require-module', 'worker.js'], env);
      expect({ code, stdout, stderr }).toEqual({
        code: 0,
        stdout: `${join(packageRoot, 'dist/cjs/index.cjs')}\nHello, Ada\n`,
        stderr: '',
      });
      await database.connect();
      const { rows } = await database.query<{ schema: string }>(
        `SELECT definition ->> 'inputJsonSchema' AS schema FROM workflow_version`,
      );
      expect(JSON.parse(rows[0]?.schema ?? 'null')).toMatchObject({ properties: { name: { type: 'string' } } }); // by the project's own converter
    } finally {
      await database.end();
      await engine.stop();
    }
  });
});

describe('traces', () => {
  it('load where OpenTelemetry is there, and nothing else asks for it', async () => {
    const load = (name: string): Promise<CliResult> =>
      runNode(['--no-experimental-require-module', '-p', `typeof require('${name}').openTelemetry`]);
    expect(await load('hatchet-ts/opentelemetry')).toMatchObject({ code: 0, stdout: 'function\n' });
    // Whoever has not installed it has these all the same.
    for (const file of readdirSync(join(packageRoot, 'dist/cjs')).filter((name) =>
      /^(?:all|index|config)\.cjs$/.test(name),
    ))
      expect(readFileSync(join(packageRoot, 'dist/cjs', file), 'utf8')).not.toContain('@opentelemetry');
  });
});

describe('TypeScript that becomes CommonJS', () => {
  it.each([
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['commonjs', 'bundler'],
  ])('module %s, moduleResolution %s', async (module, moduleResolution) => {
    const types = join(packageRoot, 'node_modules', '@types');
    const { code, stdout } = await runNode([
      tool('typescript/bin/tsc'),
      '--noEmit',
      '--strict',
      '--target',
      'es2023',
      '--module',
      module,
      '--moduleResolution',
      moduleResolution,
      '--typeRoots',
      types,
      '--types',
      'node',
      'types.cts',
    ]);
    expect(stdout).toBe('');
    expect(code).toBe(0);
  });
});
