import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineProcessFixture } from '../../helpers/engine-fixture.ts';
import { MonitorHttp } from '../../helpers/monitor-http.ts';
import { printed } from '../../helpers/printed.ts';
import { runCli, type CliResult } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { TestTerminal } from '../../helpers/test-terminal.ts';

const fixture = engineProcessFixture('page command', {}, { postgres: 'shared' });
const folder = makeTempFolder('page command');
const opened = join(folder, 'opened');
/** A desktop, whose browser notes what it was to open. */
const desktop = { DISPLAY: ':7', WAYLAND_DISPLAY: '', PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` };
const noDesktop = { DISPLAY: '', WAYLAND_DISPLAY: '' };

beforeAll(() => {
  mkdirSync(join(folder, 'bin'));
  const opener = join(folder, 'bin', 'xdg-open');
  writeFileSync(opener, `#!/bin/sh\nprintf %s "$1" > '${opened}'\n`);
  chmodSync(opener, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cli = (...args: string[]): Promise<CliResult> =>
  runCli([...args, '--data-dir', fixture.dataDir], { cwd: folder, env: noDesktop });

/** A terminal in which the command runs, with or without a desktop around it. */
function inTerminal(args: readonly string[], env: Record<string, string>): TestTerminal {
  return new TestTerminal([...args, '--data-dir', fixture.dataDir], folder, undefined, undefined, { columns: 80, env });
}

async function signsIn(url: string): Promise<void> {
  const { http } = fixture.engine.ready;
  const [base, code] = url.split('/sign-in#code=');
  expect(base).toBe(`http://${http.host}:${http.port}`);
  const answer = await new MonitorHttp({ http, token: undefined }).post('/api/v1/page/sign-in', { code });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ token: fixture.token, role: 'admin' });
}

describe('hatchet page', () => {
  it('prints a link that signs in, and nothing else', async () => {
    const { code, stdout, stderr } = await cli('page');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    await signsIn(stdout.trim());
  });

  it('prints it as JSON, with its end', async () => {
    const { url, expiresAt } = printed(await cli('page', '-o', 'json'));
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(60_000);
    await signsIn(url);
  });

  it('opens it in the browser of a desktop, and says where there is none', async () => {
    const terminal = inTerminal(['page'], desktop);
    expect(await terminal.exited).toBe(0);
    expect(terminal.written).toContain('It is open in your browser.');
    await signsIn(readFileSync(opened, 'utf8'));
    rmSync(opened);
    const remote = inTerminal(['page'], noDesktop);
    expect(await remote.exited).toBe(0);
    expect(remote.written).toContain('No browser could be opened from here');
    const told = inTerminal(['page', '--no-open'], desktop);
    expect(await told.exited).toBe(0);
    expect(existsSync(opened)).toBe(false);
  });
});

describe('the key O of the terminal UI', () => {
  it('opens the page, and shows its address for whom no browser can be opened', async () => {
    const terminal = inTerminal(['tui'], noDesktop);
    await terminal.shows(/engine up/);
    terminal.press('O');
    await terminal.shows(/Open this address in your browser within a minute/);
    // It is longer than a line.
    const shown = terminal.screen().replaceAll(/[│\s]/g, '');
    const [url = ''] = /http:\/\/[\w.:]+\/sign-in#code=[\w-]+\.[\w-]{43}/.exec(shown) ?? [];
    await signsIn(url);
    terminal.press('x');
    terminal.press('q');
    expect(await terminal.exited).toBe(0);
  });
});

it('an engine without the page says so', async () => {
  const dataDir = join(folder, 'without');
  const start = await runCli(
    ['engine', 'start', '--detach', '--no-page', '--grpc-port', '0', '--http-port', '0', '--data-dir', dataDir],
    { cwd: folder },
  );
  expect(start.code).toBe(0);
  try {
    const refused = await runCli(['page', '--data-dir', dataDir], { cwd: folder });
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('this engine serves no page. Start it without --no-page.');
  } finally {
    expect((await runCli(['engine', 'stop', '--data-dir', dataDir], { cwd: folder })).code).toBe(0);
  }
});
