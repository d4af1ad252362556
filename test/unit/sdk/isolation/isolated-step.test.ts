import { describe, expect, it } from 'vitest';
import { durationToMs, HatchetError, type Isolation } from '../../../../sdk/index.ts';
import { isolatedStep } from '../../../../sdk/isolation/definition/isolated-step.ts';
import { moduleAmong } from '../../../../sdk/isolation/definition/declaring-module.ts';
import { runnerExecArgv } from '../../../../sdk/isolation/runners/runner-args.ts';

const home = { workflow: 'orders', step: 'charge' };

/** As of a caller without types. */
function read(option: unknown): ReturnType<typeof isolatedStep> {
  const given: Isolation | undefined = JSON.parse(JSON.stringify(option));
  return isolatedStep(given, home);
}

function refusal(option: unknown): string {
  try {
    read(option);
  } catch (error) {
    if (error instanceof HatchetError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('the option isolation', () => {
  it('has defaults by its level', () => {
    const none = { children: [], read: [], network: false };
    const names = {
      home: 'orders:charge',
      label: 'orders:charge',
      module: import.meta.filename,
      resultBytes: 4 * 1024 * 1024,
    };
    expect(read('thread')).toEqual({ ...names, level: 'thread', memoryMb: undefined, cpuMs: undefined, grants: none });
    expect(read({ level: 'process', memoryMb: 100, cpuTime: '2s', resultBytes: 10 ** 9 })).toEqual({
      ...names,
      level: 'process',
      memoryMb: 100,
      cpuMs: 2_000,
      grants: none,
    });
    expect(read('sandbox')).toEqual({
      ...names,
      level: 'sandbox',
      memoryMb: 512,
      cpuMs: durationToMs('60s'),
      grants: none,
    });
    expect(
      read({ level: 'sandbox', module: 'file:///tasks/a%20b.js', children: ['a'], read: ['/data'], network: true }),
    ).toMatchObject({ module: '/tasks/a b.js', grants: { children: ['a'], read: ['/data'], network: true } });
    expect(isolatedStep(undefined, home)).toBeUndefined();
    expect(isolatedStep('thread', { workflow: 'one', step: 'one' })?.label).toBe('one');
  });

  it.each([
    [
      'fibre',
      "INVALID_DEFINITION: the isolation of the task orders:charge is fibre. Use 'thread', 'process' or 'sandbox'",
    ],
    [7, 'is 7. Use'],
    [{ cpuTime: '1s' }, "is { cpuTime: '1s' }"],
    [{ level: 'thread', network: true }, 'has the option network. Only a sandbox is granted something'],
    [
      { level: 'sandbox', memory: 5 },
      'has the option memory. Use level, module, memoryMb, cpuTime, resultBytes, children, read, network',
    ],
    [{ level: 'sandbox', memoryMb: 10 }, 'has the memoryMb 10. Use a whole number from 64'],
    [{ level: 'thread', memoryMb: '20' }, 'has the memoryMb 20. Use a whole number from 16'],
    [{ level: 'thread', cpuTime: 'soon' }, 'INVALID_DURATION: "soon" is not a duration'],
    [{ level: 'thread', cpuTime: 0 }, 'has no cpuTime at all'],
    [{ level: 'thread', resultBytes: 0 }, 'has the resultBytes 0'],
    [{ level: 'thread', module: './tasks.js' }, 'has the module ./tasks.js. Use import.meta.url'],
    [{ level: 'sandbox', children: 'a' }, 'has the children a. Use a list of texts'],
    [{ level: 'sandbox', read: ['data'] }, 'may read "data". Use absolute paths'],
    [{ level: 'sandbox', read: ['/*'] }, 'may read "/*"'],
    [{ level: 'sandbox', read: ['/a,/'] }, 'may read "/a,/"'],
    [{ level: 'sandbox', network: 'yes' }, 'has the network yes'],
  ])('refuses %j', (option, words) => {
    expect(refusal(option)).toContain(words);
  });
});

describe('the module that declares a task', () => {
  const sdk = import.meta.filename.replace(/test\/unit.*$/, 'sdk/client.ts');

  it('is the one that is being evaluated', () => {
    expect(moduleAmong([sdk, 'file:///app/tasks.js?v=1', 'node:internal/modules/esm/module_job'])).toBe(
      '/app/tasks.js',
    );
    expect(moduleAmong([sdk, '/app/tasks.cjs', 'node:internal/modules/cjs/loader', '/app/main.cjs'])).toBe(
      '/app/tasks.cjs',
    );
    expect(moduleAmong([sdk, '/app/helpers/declare.js', '/app/tasks.js', 'node:internal/modules/esm/module_job'])).toBe(
      '/app/tasks.js',
    );
  });

  it('is that of the project, whoever helps it or runs it', () => {
    expect(
      moduleAmong([
        sdk,
        '/app/node_modules/@acme/tasks/index.js',
        '/app/tasks.js',
        'node:internal/modules/esm/module_job',
      ]),
    ).toBe('/app/tasks.js');
    expect(moduleAmong([sdk, '/app/tasks.ts', '/app/node_modules/vite/runner.js', '/app/tasks.test.ts'])).toBe(
      '/app/tasks.ts',
    );
    expect(moduleAmong([sdk, '/app/node_modules/@acme/tasks/index.js', 'node:internal/modules/esm/module_job'])).toBe(
      '/app/node_modules/@acme/tasks/index.js',
    );
    expect(moduleAmong([sdk, 'evalmachine.<anonymous>'])).toBeUndefined();
  });
});

describe('the options of Node for a runner', () => {
  it('are those of the worker, without what is for it alone', () => {
    expect(
      runnerExecArgv([
        '--enable-source-maps',
        '--inspect=127.0.0.1:9229',
        '--import',
        './hooks.js',
        '--inspect-brk',
        '-e',
        'program()',
        '--input-type',
        'module',
        '--max-old-space-size=100',
        '--watch',
      ]),
    ).toEqual(['--enable-source-maps', '--import', './hooks.js', '--max-old-space-size=100']);
  });
});
