import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { processesIn } from '../../helpers/left-behind.ts';
import { makeLinkedProject } from '../../helpers/linked-project.ts';
import { CliSession, hatchetBin, runCli } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { TestTerminal } from '../../helpers/test-terminal.ts';

const folder = makeTempFolder('dev trouble');
const anyPorts = ['--grpc-port', '0', '--http-port', '0'];
let project = '';
let worker = '';
let text = '';
let dev: CliSession | undefined;
let terminal: TestTerminal | undefined;

/** A task that waits for a file, one that throws out of its worker at its first attempt, and one that does nothing. */
const program = `
import { existsSync, writeFileSync } from 'node:fs';
import { Hatchet } from 'hatchet-ts';

const hatchet = Hatchet.init();
const patient = hatchet.task({
  name: 'patient',
  fn: async () => {
    while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 20));
    return { went: true };
  },
});
const deadly = hatchet.task({
  name: 'deadly',
  fn: () => existsSync('died') ? {} :
    new Promise((resolve) => {
      setTimeout(() => { writeFileSync('died', '');
        throw new RangeError('out of the task\\nand more of it');
      }, 50);
    }),
});
const plain = hatchet.task({ name: 'plain', fn: () => ({}) });
await (await hatchet.worker('trouble', { workflows: [patient, deadly, plain] })).start();
`;

function trigger(name: string, ...flags: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return runCli(['trigger', 'workflow', name, '-o', 'json', ...flags], { cwd: project });
}

async function started(name: string): Promise<string> {
  const { runId }: { runId: string } = JSON.parse((await trigger(name)).stdout);
  await vi.waitFor(
    async () =>
      expect((await runCli(['runs', 'get', runId, '-o', 'json'], { cwd: project })).stdout).toMatch(
        /"status": ?"RUNNING"/,
      ),
    { timeout: 20_000 },
  );
  return runId;
}

function once(...flags: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return runCli(['dev', '--no-tui', '--once', '--trigger', 'plain', ...anyPorts, ...flags], { cwd: project });
}

async function open(...flags: string[]): Promise<CliSession> {
  const session = new CliSession(['dev', '--no-tui', ...anyPorts, ...flags], { cwd: project });
  dev = session;
  await vi.waitFor(() => expect(session.output).toMatch(/serving/), { timeout: 30_000 });
  return session;
}

beforeAll(async () => {
  project = await makeLinkedProject(folder, 'simple');
  worker = join(project, 'src', 'worker.ts');
  writeFileSync(worker, program);
  text = program;
});

afterEach(async () => {
  await dev?.end('SIGINT');
  terminal?.kill();
  dev = undefined;
  terminal = undefined;
  writeFileSync(worker, text);
  rmSync(join(project, 'go'), { force: true });
  await vi.waitFor(() => expect(processesIn(project)).toEqual([]), { timeout: 20_000 });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('--once ends where no worker will come', () => {
  it('for a mistake in the code', async () => {
    writeFileSync(worker, 'const a = ;\n');
    const ended = await once();
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/the worker was not built; none serves yet\n +src\/worker\.ts:1:11/);
  });

  it('for code that throws as it is loaded', async () => {
    writeFileSync(worker, text.replace('const plain', "throw new Error('no such setting');\nconst plain"));
    const ended = await once();
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(
      /crashed \(exit code 1\): Error: no such setting, at src\/worker\.ts:22:7\n +none serves until then; it is not started again\n/,
    );
  });

  it('for a program that starts no worker', async () => {
    writeFileSync(worker, `console.log('that was all');\n`);
    const ended = await once();
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('its program has to end in starting a worker');
  });

  it('for a program that is not there', async () => {
    const ended = await runCli(['dev', 'src/gone.ts', '--once', '--trigger', 'plain'], { cwd: project });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('gone.ts');
  });

  it('and not where one comes', async () => {
    expect((await once()).code).toBe(0);
  });
});

describe('a session', () => {
  it('names a file that its worker writes and imports, and waits for another change', async () => {
    writeFileSync(join(project, 'src', 'own.ts'), 'export const at = 0;\n');
    writeFileSync(
      worker,
      text.replace(
        'const plain',
        "import { at } from './own.ts';\nwriteFileSync(new URL('./own.ts', import.meta.url), `export const at = ${at + 1};\\n`);\nconst plain",
      ),
    );
    const session = await open();
    await expect.poll(() => session.output).toMatch(/the worker writes src\/own\.ts each time that it starts/);
    // The first start, and three for what it wrote.
    expect(readFileSync(join(project, 'src', 'own.ts'), 'utf8')).toBe('export const at = 4;\n');
    const before = session.output.length;
    writeFileSync(worker, text);
    await expect.poll(() => session.output.slice(before)).toContain('serving');
    expect(session.output.match(/each time that it starts/g)).toHaveLength(1);
  });

  it('tells of a crash once: the error, its place and the run', async () => {
    const session = await open();
    const { runId }: { runId: string } = JSON.parse((await trigger('deadly')).stdout);
    await expect
      .poll(() => session.output)
      .toMatch(/crashed \(exit code \d+\): RangeError: out of the task, at src\/worker\.ts:18:15\n/);
    await expect.poll(() => session.output).toContain(`it had run ${runId} of deadly`);
    await expect.poll(() => session.output).toMatch(/serving, reload 1/);
    await vi.waitFor(
      async () =>
        expect((await runCli(['runs', 'get', runId, '-o', 'json'], { cwd: project })).stdout).toMatch(
          /"status": ?"COMPLETED"/,
        ),
      { timeout: 40_000 },
    );
    expect(session.output.match(new RegExp(`it had run ${runId}`, 'g'))).toHaveLength(1);
    expect(session.output.match(/RangeError: out of the task/g)).toHaveLength(2); // by the worker itself, and by the session
  });

  it('says what its end waits for, and ends at once when it is asked again', async () => {
    const session = await open();
    const runId = await started('patient');
    session.child.kill('SIGINT');
    await expect
      .poll(() => session.output)
      .toMatch(
        new RegExp(
          `stopping: waiting for 1 task to finish; Ctrl\\+C again ends at once\\n +patient, run ${runId}, for `,
        ),
      );
    session.child.kill('SIGINT');
    await expect.poll(() => session.child.exitCode).toBe(130);
  });

  it('says that Postgres is gone, and that it is back', async () => {
    const session = await open();
    const pid = Number(readFileSync(join(project, '.hatchet', 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
    process.kill(pid, 'SIGKILL');
    await expect
      .poll(() => session.output)
      .toMatch(/! Postgres is gone; the engine starts it again\n +What was acknowledged is stored/);
    await expect.poll(() => session.output).toContain('✓ Postgres is back; nothing was lost');
    expect((await trigger('plain', '--wait')).code).toBe(0);
  });

  it('offers one debugger, whichever worker serves', async () => {
    const session = await open('--inspect', '0');
    const address = await vi.waitFor(() => {
      const found = /debugger +(127\.0\.0\.1:\d+)/.exec(session.output)?.[1];
      if (found === undefined) throw new Error(session.output);
      return found;
    });
    const target = async (): Promise<unknown> => {
      const [first]: { webSocketDebuggerUrl: string }[] = JSON.parse(
        await (await fetch(`http://${address}/json/list`)).text(),
      );
      return first?.webSocketDebuggerUrl;
    };
    const first = await target();
    expect(first).toMatch(new RegExp(`^ws://${address}/`));
    writeFileSync(worker, text.replace('fn: () => ({})', 'fn: () => ({ changed: true })'));
    await expect.poll(() => session.output).toContain('serving, reload 1');
    const second = await target();
    expect(second).toMatch(new RegExp(`^ws://${address}/`));
    expect(second).not.toBe(first);
    expect(session.output).not.toContain('Debugger listening');
  });

  it('tells of data of another Postgres', async () => {
    const version = join(project, '.hatchet', 'postgres', 'PG_VERSION');
    const own = readFileSync(version, 'utf8');
    writeFileSync(version, '15\n');
    const ended = await runCli(['dev', '--no-tui', ...anyPorts], { cwd: project });
    writeFileSync(version, own);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/is of Postgres 15, and this version brings Postgres \d+, which cannot read it/);
    expect(ended.stderr).toContain('pg_dump');
  });
});

describe('a session in a terminal', () => {
  it('ends at once at the second Ctrl+C, which is no signal while the screen is its own', async () => {
    terminal = new TestTerminal(['dev', ...anyPorts], project);
    await terminal.shows(/worker serving/, 30_000);
    const runId = await started('patient');
    terminal.press('\u0003');
    await terminal.shows(new RegExp(`waiting for 1 task to finish(?:.|\n)*${runId}`));
    expect([terminal.isOwnScreen, terminal.hasMouse]).toEqual([false, false]);
    terminal.press('\u0003');
    expect(await terminal.exited).toBe(130);
  });

  it('stops at Ctrl+Z and goes on at fg', async () => {
    terminal = new TestTerminal([], project, { program: 'bash', args: ['--norc', '-i'] });
    terminal.press(`PS1='ready> '; '${process.execPath}' '${hatchetBin}' dev ${anyPorts.join(' ')}\r`);
    await terminal.shows(/worker serving/, 30_000);
    terminal.press('\u001a');
    await terminal.shows(/Stopped(?:.|\n)*ready>/);
    expect([terminal.isOwnScreen, terminal.hasMouse]).toEqual([false, false]);
    terminal.press('fg\r');
    await terminal.shows(/worker serving/);
    expect([terminal.isOwnScreen, terminal.hasMouse]).toEqual([true, true]);
    expect((await trigger('plain', '--wait')).code).toBe(0);
    await terminal.shows(/COMPLETED plain/);
    terminal.press('q');
    await terminal.shows(/ready>\s*$/);
    terminal.press('exit\r');
    expect(await terminal.exited).toBe(0);
  });
});
