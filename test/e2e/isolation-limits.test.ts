import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isolationFixture } from '../helpers/isolation-fixture.ts';
import { hasUtilLinux, kernelKeepsSandboxes } from '../helpers/kernel-sandbox.ts';
import { descendants, running } from '../helpers/process-tree.ts';

const isolated = isolationFixture('isolation-limits');
const { fixture, run, failure, logged } = isolated;

describe('memory', () => {
  it.each(['process', 'sandbox'])(
    "that a %s holds is looked at by its worker, below the kernel's limit",
    async (level) => {
      expect(await failure(`${level}-hold`, { megabytes: 200 })).toMatchObject({
        code: 'MEMORY_LIMIT',
        message: expect.stringContaining('was ended, as it needed more than 128 MiB'),
      });
    },
  );

  it.runIf(hasUtilLinux)('of a process is bounded by the kernel as well, 192 MiB above', async () => {
    const { workflowRunId } = await fixture.hatchet.runNoWait('process-hold', { megabytes: 1 });
    const pid = Number((await logged(workflowRunId, 'pid ')).slice('pid '.length));
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
    await fixture.hatchet.runs.cancel({ ids: [workflowRunId] });
    expect(Number(/^Max data size +(\d+)/m.exec(limits)?.[1])).toBe((128 + 192) * 1024 ** 2);
  });
});

describe('a sandbox', () => {
  it('is not heard to the end of a message that is longer than any output', async () => {
    expect(await failure('sandbox-flood')).toMatchObject({
      code: 'OUTPUT_LIMIT',
      message: 'the sandbox of the task sandbox-flood said more at once than any output may have',
    });
    expect(await run('neighbour')).toMatchObject({ pid: isolated.worker.child.pid });
  });

  it('is started without the environment of its worker, and with limits of what the kernel gives it', async () => {
    const { workflowRunId } = await fixture.hatchet.runNoWait('sandbox-logthenspin', {});
    await logged(workflowRunId, 'pid ');
    const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const pids = running(descendants(isolated.worker.child.pid ?? 0)).filter((pid) =>
      commandOf(pid).includes('hatchet-sandbox-'),
    );
    const node = pids.find((pid) => commandOf(pid).startsWith(process.execPath)) ?? 0;
    const [environments, limits] = [
      pids.map((pid) => readFileSync(`/proc/${pid}/environ`, 'utf8')),
      readFileSync(`/proc/${node}/limits`, 'utf8'),
    ];
    await fixture.hatchet.runs.cancel({ ids: [workflowRunId] });
    expect(environments.length).toBeGreaterThan(0);
    for (const environment of environments) expect(environment).not.toMatch(/HATCHET|TMPDIR/);
    const kept = {
      'Max open files': '256',
      'Max core file size': '0',
      'Max file size': String(64 * 1024 ** 2),
      'Max data size': String((512 + 192) * 1024 ** 2),
      'Max cpu time': '62',
      ...(process.getuid?.() === 0 ? { 'Max processes': '64' } : {}),
    };
    if (kernelKeepsSandboxes)
      expect(
        Object.fromEntries(
          Object.keys(kept).map((name) => [name, new RegExp(`^${name} +(\\w+)`, 'm').exec(limits)?.[1]]),
        ),
      ).toEqual(kept);
  });

  it('refuses what it was not granted, with a reason', async () => {
    const stranger = (await fixture.hatchet.runNoWait('neighbour', {})).workflowRunId;
    const denied = 'ERR_ACCESS_DENIED';
    const cases: [task: string, input: object, code: string][] = [
      ['read', { path: join(fixture.folder, 'secret') }, denied],
      ['read', { path: '/etc/passwd' }, denied],
      ['write', { path: join(fixture.folder, 'written') }, denied],
      ['connect', { port: isolated.port }, denied],
      ['connect', { path: join(fixture.folder, 'socket') }, denied],
      ['fetch', { port: isolated.port }, denied],
      ['listen', {}, denied],
      ...['send', 'bind', 'connect'].map((call): [string, object, string] => ['datagram', { call }, denied]),
      ...['callback', 'promise', 'resolver'].map((call): [string, object, string] => ['lookup', { call }, denied]),
      ['spawn', {}, denied],
      ['wasi', {}, denied],
      ['inspect', {}, denied],
      ['thread', {}, denied],
      ['addon', { path: join(fixture.folder, 'addon.node') }, 'ERR_DLOPEN_DISABLED'],
      ['signal', { pid: isolated.worker.child.pid }, denied],
      ['talk', { call: 'refreshTimeout', given: '1h' }, 'NOT_GRANTED'],
      ['talk', { call: 'releaseSlot' }, 'NOT_GRANTED'],
      ['startSecret', {}, 'NOT_GRANTED'],
    ];
    const codes = await Promise.all(
      cases.map(async ([task, input]) => [
        task,
        input,
        (await failure(`sandbox-${task}`.toLowerCase(), input).catch((error: unknown) => ({ code: String(error) })))
          ?.code,
      ]),
    );
    expect(codes).toEqual(cases);
    const forged = { type: 'answer', call: 1, error: { code: 'NOT_GRANTED' } };
    for (const [call, given] of [
      ['outcomes', stranger],
      ['cancelTasks', [stranger]],
      ['replayTasks', [stranger]],
      ['upsertLabels', { zone: 'mine' }],
    ])
      expect(await run('sandbox-forge', { call, given })).toMatchObject(forged);
    expect(await run('neighbour')).toMatchObject({ pid: isolated.worker.child.pid });
  });

  it('has a folder and nothing of the environment, and what it needs of memory is bounded', async () => {
    expect(await run('sandbox-own')).toEqual({
      text: 'mine',
      environment: [],
      pid: kernelKeepsSandboxes ? 1 : expect.any(Number),
    });
    for (const level of ['process', 'sandbox'])
      expect(await failure(`${level}-buffers`)).toMatchObject({ code: 'MEMORY_LIMIT' });
    expect(await run('neighbour')).toMatchObject({ pid: isolated.worker.child.pid });
  });
});
