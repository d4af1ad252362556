import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { isListening, leftFiles, processesIn } from '../../helpers/left-behind.ts';
import { CliSession, runCli, runProgram } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const folder = makeTempFolder('first day');
const project = join(folder, 'demo');
const source = join(project, 'src', 'simple.ts');
const sessions: CliSession[] = [];

function start(args: string[]): CliSession {
  const session = new CliSession(args, { cwd: project });
  sessions.push(session);
  return session;
}

async function message(text: string): Promise<unknown> {
  const { code, stdout, stderr } = await runCli(
    ['trigger', 'workflow', 'simple', '--input', JSON.stringify({ message: text }), '--wait', '-o', 'json'],
    { cwd: project },
  );
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** gRPC, HTTP and Postgres. */
function ports(): number[] {
  const engine = readFileSync(join(project, '.hatchet', 'engine.json'), 'utf8');
  return [...engine.matchAll(/127\.0\.0\.1:(\d+)/g)].map((match) => Number(match[1]));
}

async function untilGone(watched: readonly number[]): Promise<void> {
  await expect.poll(() => processesIn(project), { interval: 100 }).toEqual([]);
  expect(leftFiles(project)).toEqual([]);
  expect(watched.filter(isListening)).toEqual([]);
}

afterAll(async () => {
  for (const session of sessions) await session.end('SIGKILL');
  await vi.waitFor(() => expect(processesIn(project)).toEqual([]), { timeout: 15_000 });
  rmSync(folder, { recursive: true, force: true });
});

describe("a newcomer's first day", () => {
  it('goes from an empty folder to a run, a changed run and a mended error', async () => {
    const made = await runCli(['init', 'demo', '--template', 'simple', '--agents', '--yes'], { cwd: folder });
    expect(made.code, made.stderr).toBe(0);
    expect(readFileSync(join(project, 'AGENTS.md'), 'utf8')).toContain('npx hatchet mcp');
    const installed = await runProgram('npm', ['install', '--no-audit', '--no-fund'], { cwd: project });
    expect(installed.code, installed.stderr).toBe(0);

    const dev = start(['dev', '--no-tui']);
    await expect.poll(() => dev.output, { timeout: 30_000 }).toContain('serving');
    const tail = start(['runs', 'tail', '-o', 'ndjson']);
    // The tail is attached once it shows a run of ours.
    await expect.poll(async () => (await message('Hi'), tail.stdout.includes('RUN_FINISHED'))).toBe(true);
    expect(await message('Hi')).toEqual({ message: 'hi' });
    const events = tail.stdout
      .trim()
      .split('\n')
      .map((line): { type: string; status: string } => JSON.parse(line));
    expect([...new Set(events.map((event) => event.status))].sort()).toEqual(['COMPLETED', 'QUEUED', 'RUNNING']);
    expect(events.map((event) => event.type)).toEqual(
      expect.arrayContaining(['RUN_CREATED', 'QUEUED', 'ASSIGNED', 'STARTED', 'FINISHED', 'RUN_FINISHED']),
    );

    const text = readFileSync(source, 'utf8');
    writeFileSync(source, text.replace('toLowerCase()', 'toUpperCase()'));
    await expect.poll(() => dev.output).toContain('reload 1');
    expect(await message('Hi')).toEqual({ message: 'HI' });

    writeFileSync(source, `${text}\nconst broken = ;\n`);
    await expect.poll(() => dev.output).toMatch(/src\/simple\.ts:\d+:\d+ {2}Unexpected/);
    expect(await message('Hi')).toEqual({ message: 'HI' });
    writeFileSync(source, text);
    await expect.poll(() => dev.output).toContain('reload 2');
    expect(await message('Hi')).toEqual({ message: 'hi' });

    const watched = ports();
    expect(watched).toHaveLength(3);
    expect(watched.every(isListening)).toBe(true);
    await tail.end('SIGINT');
    expect(await dev.end('SIGINT')).toBe(130);
    await untilGone(watched);
  });

  it('leaves nothing when the command is killed', async () => {
    const dev = start(['dev', '--no-tui']);
    await expect.poll(() => dev.output, { timeout: 30_000 }).toContain('serving');
    const watched = ports();
    await dev.end('SIGKILL');
    await untilGone(watched);
  });

  it('ends with the outcome of a run when asked for one', async () => {
    const dev = await runCli(['dev', '--no-tui', '--trigger', 'simple', '--input', '{"message":"ONCE"}', '--once'], {
      cwd: project,
    });
    expect(dev.code, dev.stderr).toBe(0);
    expect(dev.stdout).toContain('{"message":"once"}');
    await untilGone([]);
  });
});
