import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { destroy, isolation, isolationFixture, levels, type WorkerProgram } from '../helpers/isolation-fixture.ts';
import { kernelKeepsSandboxes } from '../helpers/kernel-sandbox.ts';
import { descendants, running } from '../helpers/process-tree.ts';
import { within } from '../helpers/within.ts';

const isolated = isolationFixture('isolation');
const { fixture, run, failure, logged, logOf } = isolated;

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
    const { rows } = await fixture.database.pool.query<{ count: number }>(
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
    expect(await run('neighbour')).toMatchObject({ pid: isolated.worker.child.pid });
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
    await expect(late.result()).rejects.toThrow('Task exceeded timeout of 1s');
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
    const { worker } = isolated;
    await worker.end('SIGTERM');
    expect(readdirSync(worker.temp)).toEqual([]);
  });

  it.each(['SIGKILL', 'SIGKILL for its process group', 'SIGKILL after its guardian was ended'])(
    'leaves no runner behind, be it by %s',
    async (way) => {
      const worker = await isolated.replaceWorker({ isolation }, { ownGroup: true });
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
      const worker = await isolated.replaceWorker({ isolation });
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
      isolated.destroyWorker();
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
      const refused = isolated.startWorker({}, { before: weakened });
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
      const worker = await isolated.replaceWorker({ isolation: { weakerSandbox: 'accept' } }, { before: weakened });
      expect(worker.output()).toContain('the kernel of this machine keeps no sandbox in');
      const codes = await Promise.all([
        failure('sandbox-read', { path: '/etc/passwd' }),
        failure('sandbox-connect', { port: isolated.port }),
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
