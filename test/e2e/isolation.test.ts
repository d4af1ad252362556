import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { RunFailedError, type TaskFailure } from '../../sdk/index.ts';
import { packageRoot } from '../helpers/engine-process.ts';
import { freePort } from '../helpers/free-port.ts';
import { patient } from '../helpers/patient.ts';
import { descendants, running } from '../helpers/process-tree.ts';
import { hasUtilLinux, kernelKeepsSandboxes } from '../helpers/kernel-sandbox.ts';
import { within } from '../helpers/within.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

const fixture = engineFixture('isolation', { logLevel: 'error', workerTimeoutMs: 6_000 });
const isolation = { runners: 4, ...(kernelKeepsSandboxes ? {} : { weakerSandbox: 'accept' }) };
const levels = ['thread', 'process', 'sandbox'] as const;

interface WorkerProgram {
  child: ChildProcess;
  startedAtMs: number;
  /** The folder for all that it writes in passing. */
  temp: string;
  output(): string;
  end(signal: NodeJS.Signals): Promise<number | null>;
}

let sql: Client;
let worker: WorkerProgram;
let listener: Server;
let port: number;

/** The program of the fixture, with a temporary folder of its own. */
function startWorker(
  options: object,
  { before = [], ownGroup = false }: { before?: readonly string[]; ownGroup?: boolean } = {},
): WorkerProgram {
  const temp = mkdtempSync(join(fixture.folder, 'worker-'));
  const [file, ...args] = [
    ...before,
    process.execPath,
    join(packageRoot, 'test/fixtures/isolation/worker.mjs'),
    JSON.stringify(options),
  ];
  const child = spawn(file, args, {
    env: { ...process.env, HATCHET_CLIENT_TOKEN: fixture.engine.token, TMPDIR: temp },
    detached: ownGroup,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
  // Not `close`: a runner that outlives it, which it must not, has its output open.
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return {
    child,
    startedAtMs: performance.now(),
    temp,
    output: () => output,
    end: async (signal) => {
      child.kill(signal);
      return await within(ended, () => `the worker has not ended after ${signal}; it said:\n${output}`);
    },
  };
}

/** Ends processes for certain. */
function destroy(pids: readonly number[]): void {
  for (const pid of running(pids)) process.kill(pid, 'SIGKILL');
}

async function ready({ output }: WorkerProgram): Promise<void> {
  await vi.waitFor(() => expect(output()).toContain('ready:'), { ...patient, interval: 20 });
}

/** What the task of a run by name gave. */
async function run(task: string, input: object = {}): Promise<unknown> {
  const output = await within(
    fixture.hatchet.run<object, Record<string, unknown>>(task, input),
    () => `the run of ${task} has not ended, and what is to end it has not`,
  );
  return output[task];
}

async function failure(task: string, input: object = {}): Promise<TaskFailure | undefined> {
  const error: unknown = await run(task, input).then(
    (output) => new Error(`${task} gave ${JSON.stringify(output)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RunFailedError)) throw error;
  return error.errors[0];
}

async function logOf(runId: string): Promise<string[]> {
  const { rows } = await sql.query<{ message: string }>('SELECT message FROM log_line WHERE task_id = $1 ORDER BY id', [
    runId,
  ]);
  return rows.map(({ message }) => message);
}

async function logged(runId: string, text: string): Promise<string> {
  let line: string | undefined;
  await expect
    .poll(async () => (line = (await logOf(runId)).find((one) => one.includes(text))), { interval: 20 })
    .toBeDefined();
  return line ?? '';
}

beforeAll(async () => {
  writeFileSync(join(fixture.folder, 'secret'), 'the secret of another');
  sql = new Client({ connectionString: fixture.database.url });
  await sql.connect();
  port = await freePort();
  listener = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')).listen(
    port,
    '127.0.0.1',
  );
  worker = startWorker({ isolation });
  await ready(worker);
});

/** With all that it runs, whether or not that would end it. */
function destroyWorker(): void {
  const { pid = 0 } = worker.child;
  destroy([...descendants(pid), pid]);
}

// What spins on takes the runners of the tests that follow, and they would fail in its place.
afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  destroyWorker();
  worker = startWorker({ isolation });
  await ready(worker);
});

afterAll(async () => {
  destroyWorker();
  listener.close();
  await sql.end();
});

describe.each(levels)('a task in a %s', (level) => {
  it('has its whole context there', async () => {
    const ref = await fixture.hatchet.runNoWait(
      `${level}-everything`,
      { n: 7 },
      { additionalMetadata: { by: 'test' } },
    );
    const chunks: string[] = [];
    const followed = (async () => {
      for await (const chunk of fixture.hatchet.runs.subscribeToStream(ref.workflowRunId)) chunks.push(chunk);
    })();
    expect(await ref.result()).toEqual({
      [`${level}-everything`]: {
        pid: expect.any(Number),
        isMainThread: level !== 'thread',
        level,
        input: { n: 7 },
        one: { doubled: 2 },
        many: [{ doubled: 4 }, { doubled: 6 }],
        named: { child: { doubled: 8 } },
        failure: { name: 'RunFailedError', code: 'RUN_FAILED', message: 'as a child does' },
        unknown: { name: 'HatchetError', code: 'UNKNOWN_WORKFLOW' },
        retry: 0,
        metadata: { by: 'test' },
        names: [`${level}-everything`, `${level}-everything`],
        labels: { zone: 'a' },
        has: [true, false],
      },
    });
    await followed;
    expect(chunks).toEqual(['a', 'b']);
    // A sandbox prints nowhere else.
    expect(await logOf(ref.workflowRunId)).toEqual(['first', 'second', ...(level === 'sandbox' ? ['third'] : [])]);
    const { rows } = await sql.query<{ count: number }>(
      'SELECT count(*)::integer AS count FROM run WHERE parent_task_id = $1',
      [ref.workflowRunId],
    );
    expect(rows).toEqual([{ count: 5 }]);
  });

  it('fails with the reason for which its runner is gone, and harms nobody else', async () => {
    const reasons = await Promise.all([
      failure(`${level}-exit`, { code: 3 }),
      failure(`${level}-uncaught`),
      failure(`${level}-spin`),
      failure(`${level}-objects`),
      failure(`${level}-long`, { bytes: 2_000 }),
      failure(`${level}-hostile`),
      failure(`${level}-fail`),
    ]);
    expect(reasons.map((reason) => [reason?.code, reason?.message])).toEqual([
      ['RUNNER_LOST', `the ${level} of the task ${level}-exit ended with exit code 3`],
      ['RUNNER_LOST', `the ${level} of the task ${level}-uncaught ended: nothing has caught out of nowhere`],
      ['CPU_LIMIT', `the ${level} of the task ${level}-spin was ended after 400 ms on a processor, its limit`],
      ['MEMORY_LIMIT', expect.stringContaining('needed more than 96 MiB of memory')],
      ['OUTPUT_LIMIT', `the output of ${level}-long has 2011 bytes, and the limit is 1000`],
      [
        undefined,
        'a value that is not an Error was thrown: { message: [Getter], code: [Getter], toString: [Function: toString] }',
      ],
      ['CARD_REFUSED', 'could not charge: the card was refused (CARD_REFUSED)'],
    ]);
    expect(reasons.at(-1)?.stack).toMatch(
      /^ChargeError: could not charge\n {4}at fail \(.*test\/fixtures\/isolation\/tasks\.mjs:\d+:\d+\)\n[^]*caused by Error: the card was refused/,
    );
    expect(reasons.at(-1)?.stack).not.toMatch(/\beval\]|sdk\//);
    // Each failure is one of its attempts: the third has come through.
    expect(await run(`${level}-retried`)).toEqual({ attempts: 3 });
    expect(await run('neighbour')).toMatchObject({ pid: worker.child.pid });
  });

  it('is ended by a cancellation and by its time-out, whatever it does', async () => {
    const heeding = await fixture.hatchet.runNoWait(`${level}-heed`, {});
    await logged(heeding.workflowRunId, 'begun');
    await fixture.hatchet.runs.cancel({ ids: [heeding.workflowRunId] });
    expect(await logged(heeding.workflowRunId, 'heard')).toBe('heard: AbortError');
    const late = await fixture.hatchet.runNoWait(`${level}-late`, {});
    const spinning = await Promise.all(
      Array.from(
        { length: isolation.runners - 1 },
        async () => (await fixture.hatchet.runNoWait(`${level}-logthenspin`, {})).workflowRunId,
      ),
    );
    const pids = await Promise.all(
      spinning.map(async (runId) => Number((await logged(runId, 'pid ')).slice('pid '.length))),
    );
    await fixture.hatchet.runs.cancel({ ids: spinning });
    await expect(late.result()).rejects.toThrow('ran longer than its execution timeout of 1s');
    for (const runId of [...spinning, heeding.workflowRunId])
      await expect.poll(() => fixture.hatchet.runs.get_status(runId)).toBe('CANCELLED');
    if (level === 'process')
      await expect.poll(() => running(pids), { message: 'processes of cancelled attempts run on' }).toEqual([]);
    // As many as there are runners, of which none may be left spinning: each of these needs one.
    const next = Promise.all(Array.from({ length: isolation.runners }, () => run(`${level}-burn`, { ms: 1 })));
    expect(
      await within(
        next,
        () =>
          `a ${level} whose attempt was cancelled, or ran out of time, has not been ended: it keeps its place, and others wait for it`,
      ),
    ).toHaveLength(isolation.runners);
  });
});

describe('a worker with isolated tasks', () => {
  it('ends with a process all that it has started: cancelled, ended by itself, or killed while it has nothing to do', async () => {
    const [cancelled, ...others] = await Promise.all(
      ['spin', 'exit', 'return'].map(
        async (next) =>
          await fixture.hatchet.runNoWait<object, { 'process-family': { runner: number } }>('process-family', { next }),
      ),
    );
    const pids = await Promise.all(
      [cancelled, ...others].map(async (ref) =>
        Number((await logged(ref?.workflowRunId ?? '', 'pid ')).slice('pid '.length)),
      ),
    );
    try {
      await fixture.hatchet.runs.cancel({ ids: [cancelled?.workflowRunId ?? ''] });
      const idle = await others[1]?.result();
      process.kill(idle?.['process-family'].runner ?? 0, 'SIGKILL');
      await expect
        .poll(() => running(pids), { message: 'what tasks have started outlives their processes' })
        .toEqual([]);
    } finally {
      destroy(pids);
    }
  });

  it('keeps threads and processes for the next attempt, and no sandbox', async () => {
    const processes = [await run('process-where'), await run('process-where')];
    expect(processes[0]).toEqual(processes[1]);
    expect(await run('sandbox-leftbehind')).toEqual(await run('sandbox-leftbehind'));
  });

  it('hands outputs from one place to the next in a workflow', async () => {
    expect(await fixture.hatchet.run('apart-flow', { n: 1 })).toEqual({
      first: { n: 2 },
      second: { n: 3 },
      third: { n: 4, level: 'sandbox' },
    });
  });

  it('says what to do about a task that its runner cannot find', async () => {
    for (const level of ['thread', 'process']) {
      expect(await failure(`${level}-lost`)).toMatchObject({
        code: 'TASK_NOT_FOUND',
        message: expect.stringMatching(
          new RegExp(
            `^the module .*tasks\\.mjs does not declare the task ${level}-lost when a ${level} imports it: .*Declare the task at the top level of a module`,
          ),
        ),
      });
    }
  });

  it('does not believe what a runner says', async () => {
    for (const level of levels)
      expect(await failure(`${level}-babble`)).toMatchObject({
        code: 'RUNNER_LOST',
        message: `the ${level} of the task ${level}-babble said what no runner says`,
      });
  });
});

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
    expect(await run('neighbour')).toMatchObject({ pid: worker.child.pid });
  });

  it('is started without the environment of its worker, and with limits of what the kernel gives it', async () => {
    const { workflowRunId } = await fixture.hatchet.runNoWait('sandbox-logthenspin', {});
    await logged(workflowRunId, 'pid ');
    const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const pids = running(descendants(worker.child.pid ?? 0)).filter((pid) =>
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
      ['connect', { port }, denied],
      ['connect', { path: join(fixture.folder, 'socket') }, denied],
      ['fetch', { port }, denied],
      ['listen', {}, denied],
      ...['send', 'bind', 'connect'].map((call): [string, object, string] => ['datagram', { call }, denied]),
      ...['callback', 'promise', 'resolver'].map((call): [string, object, string] => ['lookup', { call }, denied]),
      ['spawn', {}, denied],
      ['wasi', {}, denied],
      ['inspect', {}, denied],
      ['thread', {}, denied],
      ['addon', { path: join(fixture.folder, 'addon.node') }, 'ERR_DLOPEN_DISABLED'],
      ['signal', { pid: worker.child.pid }, denied],
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
    expect(await run('neighbour')).toMatchObject({ pid: worker.child.pid });
  });

  it('has a folder and nothing of the environment, and what it needs of memory is bounded', async () => {
    expect(await run('sandbox-own')).toEqual({
      text: 'mine',
      environment: [],
      pid: kernelKeepsSandboxes ? 1 : expect.any(Number),
    });
    for (const level of ['process', 'sandbox'])
      expect(await failure(`${level}-buffers`)).toMatchObject({ code: 'MEMORY_LIMIT' });
    expect(await run('neighbour')).toMatchObject({ pid: worker.child.pid });
  });
});

/** Of a worker: the process that ends its runners when it is gone. */
async function guardianOf({ child }: WorkerProgram, { other }: { other?: number } = {}): Promise<number> {
  const find = (): number | undefined =>
    running(descendants(child.pid ?? 0)).find(
      (pid) => pid !== other && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes("process.stdin.on('close'"),
    );
  await expect
    .poll(find, {
      message: other === undefined ? 'the worker has no guardian' : 'no guardian takes the place of one that was ended',
    })
    .toBeDefined();
  return find() ?? Number.NaN;
}

describe('a worker that ends', () => {
  it('leaves nothing behind', async () => {
    await worker.end('SIGTERM');
    expect(readdirSync(worker.temp)).toEqual([]);
  });

  it.each(['SIGKILL', 'SIGKILL for its process group', 'SIGKILL after its guardian was ended'])(
    'leaves no runner behind, be it by %s',
    async (way) => {
      destroyWorker();
      worker = startWorker({ isolation }, { ownGroup: true });
      await ready(worker);
      const spinning = await Promise.all(
        levels.map(async (level) => await fixture.hatchet.runNoWait(`${level}-logthenspin`, {})),
      );
      for (const { workflowRunId } of spinning) await logged(workflowRunId, 'pid ');
      if (way.includes('guardian')) {
        // One that cannot even start is not started again and again.
        await expect.poll(() => performance.now() - worker.startedAtMs).toBeGreaterThan(2_000);
        const guardian = await guardianOf(worker);
        process.kill(guardian, 'SIGKILL');
        await guardianOf(worker, { other: guardian });
      }
      const {
        temp,
        child: { pid = 0 },
      } = worker;
      const below = descendants(pid);
      // Its guardian, a process, and of the sandbox what made the namespaces and what runs in them.
      expect(running(below).length).toBeGreaterThanOrEqual(4);
      try {
        if (way.includes('group')) process.kill(-pid, 'SIGKILL');
        await worker.end('SIGKILL');
        await expect
          .poll(() => running(below), { interval: 20, message: 'processes outlive their killed worker' })
          .toEqual([]);
        await expect.poll(() => readdirSync(temp), { message: 'folders outlive their killed worker' }).toEqual([]);
      } finally {
        destroy(below);
        await fixture.hatchet.runs.cancel({ ids: spinning.map(({ workflowRunId }) => workflowRunId) });
      }
    },
  );

  it.runIf(kernelKeepsSandboxes)(
    'takes its sandboxes with it, also where its guardian is killed together with it',
    async () => {
      destroyWorker();
      worker = startWorker({ isolation });
      await ready(worker);
      const { workflowRunId } = await fixture.hatchet.runNoWait('sandbox-logthenspin', {});
      await logged(workflowRunId, 'pid ');
      const guardian = await guardianOf(worker);
      const below = descendants(worker.child.pid ?? 0);
      try {
        worker.child.kill('SIGSTOP'); // it would have another guardian at once
        process.kill(guardian, 'SIGKILL');
        await worker.end('SIGKILL');
        await expect
          .poll(() => running(below), { interval: 20, message: 'a sandbox outlives its worker and its guardian' })
          .toEqual([]);
      } finally {
        destroy(below);
        await fixture.hatchet.runs.cancel({ ids: [workflowRunId] });
      }
    },
  );

  it.runIf(kernelKeepsSandboxes)(
    'does not even start where the kernel keeps no sandbox in, unless less is accepted',
    async () => {
      destroyWorker();
      // As root of a container without the right to make namespaces.
      const weakened = [
        'unshare',
        '--user',
        '--map-root-user',
        '--',
        'setpriv',
        '--bounding-set=-sys_admin',
        '--inh-caps=-sys_admin',
        '--',
      ];
      const refused = startWorker({}, { before: weakened });
      const code = new Promise((resolve) => refused.child.once('close', resolve));
      try {
        expect(
          await within(
            code,
            () =>
              `a worker has not refused to start where nothing keeps its sandboxes in; it said:\n${refused.output()}`,
          ),
        ).toBe(1);
      } finally {
        destroy([...descendants(refused.child.pid ?? 0), refused.child.pid ?? 0]);
      }
      expect(refused.output()).toMatch(/ISOLATION_UNAVAILABLE/);
      expect(refused.output()).toMatch(
        /this machine cannot keep the task .* in a sandbox: unshare: unshare failed: Operation not permitted\. Run the worker on Linux with util-linux/,
      );
      worker = startWorker({ isolation: { weakerSandbox: 'accept' } }, { before: weakened });
      await ready(worker);
      expect(worker.output()).toContain('the kernel of this machine keeps no sandbox in');
      const codes = await Promise.all([
        failure('sandbox-read', { path: '/etc/passwd' }),
        failure('sandbox-connect', { port }),
        failure('sandbox-spawn'),
        failure('sandbox-signal', { pid: worker.child.pid }),
        failure('sandbox-spin'),
        failure('sandbox-buffers'),
      ]);
      expect(codes.map((reason) => reason?.code)).toEqual([
        'ERR_ACCESS_DENIED',
        'ERR_ACCESS_DENIED',
        'ERR_ACCESS_DENIED',
        'ERR_ACCESS_DENIED',
        'CPU_LIMIT',
        'MEMORY_LIMIT',
      ]);
      expect(await run('sandbox-own')).toMatchObject({ text: 'mine', environment: [] });
    },
  );
});
