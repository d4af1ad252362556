import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { processesIn } from '../../helpers/left-behind.ts';
import { makeLinkedProject } from '../../helpers/linked-project.ts';
import { CliSession, runCli, type CliResult } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const folder = makeTempFolder('dev failures');
const anyPorts = ['--grpc-port', '0', '--http-port', '0'];
let project = '';
let worker = '';
let dev: CliSession;
let tail: CliSession;

function trigger(input: string): Promise<CliResult> {
  return runCli(['trigger', 'workflow', 'simple', '--input', input, '--wait', '-o', 'json'], { cwd: project });
}

/** Also in hooks, where expect.poll is not to be had. */
function said(pattern: RegExp, timeout = 20_000): Promise<void> {
  return vi.waitFor(() => expect(dev.output).toMatch(pattern), { timeout });
}

function enginePid(): number {
  const record: { pid: number } = JSON.parse(readFileSync(join(project, '.hatchet', 'engine.json'), 'utf8'));
  return record.pid;
}

beforeAll(async () => {
  project = await makeLinkedProject(folder, 'simple');
  worker = join(project, 'src', 'worker.ts');
  const task = join(project, 'src', 'simple.ts');
  writeFileSync(
    task,
    readFileSync(task, 'utf8').replace(
      '({ message }) => (',
      "({ message }) => message === 'BREAK' ? JSON.parse('no JSON') : (",
    ),
  );
  dev = new CliSession(['dev', '--no-tui', ...anyPorts], { cwd: project });
  await said(/serving/, 30_000);
  tail = new CliSession(['runs', 'tail', '-o', 'ndjson'], { cwd: project });
  await vi.waitFor(async () => (await trigger('{"message":"FIRST"}'), expect(tail.stdout).toContain('RUN_FINISHED')), {
    timeout: 20_000,
  });
});

afterAll(async () => {
  await tail.end('SIGINT');
  await dev.end('SIGINT');
  await vi.waitFor(() => expect(processesIn(project)).toEqual([]), { timeout: 15_000 });
  rmSync(folder, { recursive: true, force: true });
});

describe('what goes wrong in a session', () => {
  it('a second one is told of the first', async () => {
    const second = await runCli(['dev', '--no-tui'], { cwd: project });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`pid ${enginePid()}`);
    expect(second.stderr).toMatch(/up \d/);
  });

  it('a given port that is taken ends it, with its owner', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const refused = await runCli(
      ['dev', '--no-tui', '--data-dir', join(folder, 'other'), '--grpc-port', String(port)],
      { cwd: project },
    );
    await new Promise((resolve) => server.close(resolve));
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`port ${port} is taken by pid ${process.pid}`);
  });

  it('--reset without a terminal deletes nothing unless --yes says so, and names what would go', async () => {
    const data = join(folder, 'reset');
    expect(
      (await runCli(['engine', 'start', '--detach', '--data-dir', data, ...anyPorts], { cwd: project })).code,
    ).toBe(0);
    expect((await runCli(['engine', 'stop', '--data-dir', data], { cwd: project })).code).toBe(0);
    const again = ['dev', '--no-tui', '--reset', '--data-dir', data, ...anyPorts];
    const refused = await runCli(again, { cwd: project });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(join(data, 'postgres'));
    expect(refused.stderr).toContain('--yes');
    expect(existsSync(join(data, 'postgres', 'PG_VERSION'))).toBe(true);
    const agreed = await runCli([...again, '--yes', '--once', '--trigger', 'simple', '--input', '{"message":"A"}'], {
      cwd: project,
    });
    expect(agreed.code).toBe(0);
    expect(agreed.stdout + agreed.stderr).toContain('made a new cluster');
  });

  it('a worker that dies at its start leaves the last good one serving, and says why', async () => {
    const text = readFileSync(worker, 'utf8');
    writeFileSync(worker, `console.error('no such setting');\nprocess.exit(3);\n${text}`);
    await said(
      /crashed \(exit code 3\): no such setting\n +the last good one keeps serving; it starts again in 1\.0 s/,
    );
    expect(JSON.parse((await trigger('{"message":"STILL"}')).stdout)).toEqual({ message: 'still' });
    await said(/starts again in 2\.0 s/);
    writeFileSync(worker, text);
    const before = dev.output.length;
    await expect.poll(() => dev.output.slice(before)).toContain('serving');
  });

  it('a failing run ends with exit code 1 and the error', async () => {
    const failed = await runCli(
      [
        'trigger',
        'workflow',
        'simple',
        '--input',
        '{"message":"BREAK"}',
        '--wait',
        '-o',
        'json',
        '--metadata',
        'why=test',
      ],
      { cwd: project },
    );
    // Three retries without back-off, then the end.
    expect(failed.code).toBe(1);
    expect(failed.stdout).toBe('');
    expect(failed.stderr).toContain('is not valid JSON');
    const listed = await runCli(['runs', 'list', '--status', 'failed', '--metadata', 'why=test', '-o', 'json'], {
      cwd: project,
    });
    const { rows }: { rows: { runId: string; errorMessage: string }[] } = JSON.parse(listed.stdout);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.errorMessage).toContain('is not valid JSON');
    const detail = await runCli(['runs', 'get', rows[0]?.runId ?? '', '-o', 'json'], { cwd: project });
    expect(JSON.parse(detail.stdout)).toMatchObject({
      status: 'FAILED',
      input: { message: 'BREAK' },
      tasks: [{ attempt: 3 }],
    });
    const cancelled = await runCli(['runs', 'cancel', rows[0]?.runId ?? '', '-o', 'json'], { cwd: project });
    expect(JSON.parse(cancelled.stdout)).toEqual({
      cancelled: [],
      refused: [{ id: rows[0]?.runId, reason: 'FAILED before' }],
    });
  });

  it('an engine that is killed comes back on its ports, and the tail misses and repeats nothing', async () => {
    const killed = enginePid();
    process.kill(killed, 'SIGKILL');
    await said(/the engine ended \(SIGKILL\)/);
    await said(/the engine is back/);
    expect(enginePid()).not.toBe(killed);
    expect(JSON.parse((await trigger('{"message":"AFTER"}')).stdout)).toEqual({ message: 'after' });
    const listed = await runCli(['runs', 'list', '-o', 'json'], { cwd: project });
    const { rows }: { rows: { runId: string }[] } = JSON.parse(listed.stdout);
    await expect.poll(() => tail.stdout).toMatch(new RegExp(`${rows[0]?.runId}.*RUN_FINISHED`));
    const events = tail.stdout
      .trim()
      .split('\n')
      .map((line): { cursor: string; runId: string; type: string } => JSON.parse(line));
    const cursors = events.map((event) => event.cursor);
    expect(new Set(cursors).size).toBe(cursors.length);
    expect(cursors.toSorted()).toEqual(cursors);
    // Each run that the tail saw begin, it saw end.
    const begun = events.filter((event) => event.type === 'RUN_CREATED').map((event) => event.runId);
    const ended = events.filter((event) => event.type === 'RUN_FINISHED').map((event) => event.runId);
    expect(ended).toEqual(expect.arrayContaining(begun));
    expect(begun).toContain(rows[0]?.runId);
  });

  it('one run can be followed to its end, with its logs', async () => {
    const started = await runCli(['trigger', 'workflow', 'simple', '--input', '{"message":"ONE"}', '-o', 'json'], {
      cwd: project,
    });
    const { runId }: { runId: string } = JSON.parse(started.stdout);
    const followed = await runCli(['runs', 'tail', runId, '-o', 'ndjson'], { cwd: project });
    expect(followed.code).toBe(0);
    const types = followed.stdout
      .trim()
      .split('\n')
      .map((line): string => JSON.parse(line).type);
    expect(types).toEqual(expect.arrayContaining(['RUN_CREATED', 'STARTED', 'FINISHED', 'RUN_FINISHED']));
    expect((await runCli(['runs', 'tail', '01980000-0000-7000-8000-000000000000'], { cwd: project })).code).toBe(4);
  });

  it('an engine that is stopped stays stopped, and ends the session', async () => {
    const stopped = await runCli(['engine', 'stop'], { cwd: project });
    expect(stopped.stdout).toContain('Stopped the engine');
    await expect.poll(() => dev.child.exitCode).toBe(1);
    expect(dev.output).toContain('error: the engine was stopped from elsewhere\n  Start it again with `hatchet dev`.');
    expect((await runCli(['engine', 'status'], { cwd: project })).code).toBe(3);
  });
});
