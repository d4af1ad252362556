import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { processesIn } from '../../helpers/left-behind.ts';
import { makeLinkedProject } from '../../helpers/linked-project.ts';
import { runCli } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { TestTerminal } from '../../helpers/test-terminal.ts';

/** Tasks that wait, each for something else, and a cron whose tick does not come by itself. */
const waiting = `
import { existsSync } from 'node:fs';
import { ConcurrencyLimitStrategy, RateLimitDuration } from 'hatchet-ts';
import { hatchet } from './hatchet.ts';
import { order } from './order.ts';

const slow = hatchet.task({
  name: 'slow',
  concurrency: { expression: 'input.customer', maxRuns: 1, limitStrategy: ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN },
  fn: async (input: { customer: string }) => {
    while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 20));
    return input;
  },
});
const throttled = hatchet.task({ name: 'throttled', rateLimits: [{ staticKey: 'mail', units: 1 }], fn: () => ({}) });
const yearly = hatchet.task({ name: 'yearly', on: { cron: '0 0 1 1 *' }, fn: () => ({ done: true }) });

await hatchet.ratelimits.upsert({ key: 'mail', limit: 1, duration: RateLimitDuration.DAY });
const remind = hatchet.workflow({ name: 'remind', on: { event: 'invoice:due' }, defaultFilters: [{ scope: 'post', expression: 'true' }] });
const total = remind.task({ name: 'total', fn: () => ({ cents: 1550 }) });
remind.task({
  name: 'send',
  parents: [total],
  fn: () => {
    if (!existsSync('post')) throw new Error('the letter was not sent', { cause: new Error('the post is closed') });
    return { sent: true };
  },
});
const worker = await hatchet.worker('order-worker', { workflows: [order, slow, throttled, yearly, remind], slots: 100 });
await worker.start();
`;

const folder = makeTempFolder('terminal ui');
let project = '';
let terminal: TestTerminal;

beforeAll(async () => {
  project = await makeLinkedProject(folder, 'dag');
  writeFileSync(join(project, 'src', 'worker.ts'), waiting);
  terminal = new TestTerminal(['dev', '--grpc-port', '0', '--http-port', '0'], project);
});

afterAll(async () => {
  terminal.kill();
  await vi.waitFor(() => expect(processesIn(project)).toEqual([]), { timeout: 15_000 });
  rmSync(folder, { recursive: true, force: true });
});

describe('hatchet dev in a terminal', () => {
  it('comes up on its own screen, and says what to press', async () => {
    await terminal.shows(/worker serving/, 30_000);
    await terminal.shows(/Press t to trigger order/);
    expect(terminal.isOwnScreen).toBe(true);
  });

  it('triggers a run by its form, and refuses what is no JSON', async () => {
    // Several are registered, and none is looked at: which is meant is typed.
    terminal.press('t');
    await terminal.shows(/▸ \w+/);
    terminal.press('ORD');
    await terminal.shows(/workflow +ORD *│\n│ ▸ order/);
    terminal.press('\r');
    await terminal.shows(/input +\{/);
    await terminal.shows(/enter triggers/);
    terminal.press('\u0005\u0015{"customer":"ada","items":[1200,350]');
    await terminal.shows(/350\](?!\})/);
    terminal.press('\r');
    await terminal.shows(/not valid JSON/);
    terminal.press('}');
    await terminal.shows(/350\]\}/);
    terminal.press('\r');
    await terminal.shows(/✓ COMPLETED order/);
  });

  it('shows the run as a picture, with its timeline, logs and output', async () => {
    terminal.press('\r');
    await terminal.shows(/✓ check .*┬.*✓ charge .*✓ ship/);
    await terminal.shows(/RUN_FINISHED/);
    terminal.press('l');
    await terminal.shows(/INFO +charge +charging ada 1550 cents/);
    terminal.press('o');
    await terminal.shows(/1 parcel\(s\) sent for ada-1550/);
    terminal.press('\u001b');
    await terminal.shows(/STATUS +WORKFLOW/);
  });

  it('pushes an event to a key that a workflow listens to, with a scope', async () => {
    terminal.press('E');
    await terminal.shows(/▸ invoice:due/);
    terminal.press('due');
    await terminal.shows(/key +due/);
    terminal.press('\r');
    await terminal.shows(/enter pushes, tab goes to the scope/);
    // Its filter lets through what has this scope.
    terminal.press('\t');
    await terminal.shows(/enter pushes, without a scope/);
    terminal.press('post');
    await terminal.shows(/scope +post/);
    terminal.press('\r');
    await terminal.shows(/pushed invoice:due: it started 1 run of remind/);
    await terminal.shows(/✗ FAILED +remind/);
    terminal.press('g');
    await terminal.shows(/▸ ✗ FAILED +remind/);
  });

  it('opens a failed run on its error, shows each task by itself, and runs it again from the one that failed', async () => {
    terminal.press('\r');
    await terminal.shows(/▸✗ send/);
    await terminal.shows(/▸\[f\]ailure/);
    await terminal.shows(/send \(attempt 1\): the letter was not sent/);
    await terminal.shows(/caused by Error: the post is closed/);
    terminal.press('a');
    await terminal.shows(/attempt 1 +FAILED +[\d:.]+ – [\d:.]+ .*on order-worker\n +the letter was not sent/);
    terminal.press('ko');
    await terminal.shows(/▸✓ total/);
    await terminal.shows(/"cents": 1550/);
    writeFileSync(join(project, 'post'), '');
    terminal.press('j');
    await terminal.shows(/▸✗ send/);
    terminal.press('R');
    await terminal.shows(/Run send of remind .* again, and what follows it\?/);
    terminal.press('y');
    await terminal.shows(/✓ COMPLETED remind/);
    await terminal.shows(/"sent": true/);
    terminal.press('a');
    await terminal.shows(/attempt 1 +FAILED[\s\S]*attempt \d +FINISHED/);
    terminal.press('\u001b');
    await terminal.shows(/STATUS +WORKFLOW/);
  });

  it('shows a build error while the last good worker serves, and that it is gone', async () => {
    const source = join(project, 'src', 'order.ts');
    const text = readFileSync(source, 'utf8');
    writeFileSync(source, `${text}\nconst broken = ;\n`);
    await terminal.shows(/not built, the last good worker serves: src\/order\.ts:\d+:\d+ Unexpected ";"/);
    writeFileSync(source, `${text}\nconsole.log('reloaded');\n`);
    await terminal.shows(/worker serving \(1 reload\)/);
    expect(terminal.screen()).not.toContain('not built');
    terminal.press('6');
    await terminal.shows(/worker │ reloaded/);
    await terminal.shows(/engine │ [\d:.]+ INFO +shards taken over/);
    terminal.press('f');
    await terminal.shows(/engine alone/);
    expect(terminal.screen()).not.toContain('worker │');
    terminal.press('1');
  });

  it('shows what waits for a key and for units, as it changes, and so does the command', async () => {
    terminal.press('4');
    await terminal.shows(/slow:slow +0 +0 +0 +0/);
    const triggered = [
      runCli(['trigger', 'workflow', 'slow', '--input', '{"customer":"ada"}', '--count', '3'], { cwd: project }),
      runCli(['trigger', 'workflow', 'throttled', '--count', '3'], { cwd: project }),
    ];
    for (const { code } of await Promise.all(triggered)) expect(code).toBe(0);
    await terminal.shows(/slow:slow +0 +1 +2 +0/);
    await terminal.shows(/throttled:throttled +0 +0 +0 +2/);
    await terminal.shows(/ada +slow +█+ 1\/1 +2/);
    await terminal.shows(/mail +█+ 1\/1 day +in 23 h 59 m +2/);
    const listed = await runCli(['queues', 'list', '-o', 'json'], { cwd: project });
    expect(JSON.parse(listed.stdout)).toMatchObject({
      keys: [{ key: 'ada', workflow: 'slow', held: 1, maxRuns: 1, waiting: 2 }],
      limits: [{ key: 'mail', used: 1, limit: 1, waiting: 2 }],
    });
    expect((await runCli(['queues', 'list'], { cwd: project })).stdout).toMatch(
      /ada +slow +GROUP_ROUND_ROBIN +1\/1 +2/,
    );
    writeFileSync(join(project, 'go'), '');
    await terminal.shows(/slow:slow +0 +0 +0 +0/);
    await terminal.shows(/No concurrency key is in use/);
  });

  it('pauses a workflow and resumes it', async () => {
    terminal.press('2');
    await terminal.shows(/▸ order +ACTIVE/);
    terminal.press('p');
    await terminal.shows(/Pause order\?/);
    terminal.press('y');
    await terminal.shows(/▸ order +PAUSED/);
    terminal.press('p');
    await terminal.shows(/▸ order +ACTIVE/);
  });

  it('switches a cron off and on, runs it now, and deletes a scheduled run', async () => {
    terminal.press('5');
    await terminal.shows(/▸ 0 0 1 1 \* +yearly +yes/);
    terminal.press('p');
    await terminal.shows(/Switch the cron yearly off|Switch the cron .* off/);
    terminal.press('y');
    await terminal.shows(/▸ 0 0 1 1 \* +yearly +no/);
    terminal.press('p');
    await terminal.shows(/▸ 0 0 1 1 \* +yearly +yes/);
    terminal.press('n');
    await terminal.shows(/Run yearly now/);
    terminal.press('y');
    await terminal.shows(/ran the cron/);
    expect((await runCli(['schedules', 'create', 'yearly', '--at', '2h'], { cwd: project })).code).toBe(0);
    await terminal.shows(/yearly +\d{4}-\d\d-\d\d [\d:]+Z +in 1 h 59 m/);
    terminal.press('Gx');
    await terminal.shows(/Delete the run of yearly at/);
    terminal.press('y');
    await terminal.shows(/No scheduled run is to come/);
  });

  it('replays a run that has ended', async () => {
    terminal.press('1/yearly');
    await terminal.shows(/search: yearly/);
    terminal.press('\r');
    await expect.poll(() => terminal.screen()).not.toContain('search: yearly');
    expect(terminal.screen()).not.toContain('slow');
    await terminal.shows(/▸ ✓ COMPLETED yearly/);
    terminal.press('R');
    await terminal.shows(/Run yearly .* again\?/);
    terminal.press('y');
    await terminal.shows(/runs again \(1 task\)/);
    terminal.press('\r');
    await terminal.shows(/RETRIED_BY_USER/);
    terminal.press('\u001b');
    await terminal.shows(/▸ ✓ COMPLETED yearly/);
    terminal.press('\u001b');
  });

  it('holds another size', async () => {
    terminal.resize(80, 24);
    await expect.poll(() => terminal.screen().split('\n').at(-2)).toMatch(/worker serving .*q quit$/);
    await terminal.shows(/✓ COMPLETED order/);
    terminal.resize(40, 10);
    await expect.poll(() => terminal.screen().split('\n').at(-2)).toMatch(/\? q$/);
    await terminal.shows(/▸ ✓ yearly/);
    terminal.press('x?');
    await terminal.shows(/╭─ Keys .*╮\n(│ .* │\n)+╰─+╯\n/);
    terminal.press('\u001b');
    terminal.resize(100, 30);
    await expect.poll(() => terminal.screen().split('\n').at(-2)).toMatch(/q quit/);
  });

  it('ends on q with 0, gives the screen back, and leaves nothing', async () => {
    terminal.press('q');
    expect(await terminal.exited).toBe(0);
    expect(terminal.isOwnScreen).toBe(false);
    await expect.poll(() => processesIn(project)).toEqual([]);
  });
});

it('prints lines in a terminal that cannot be drawn on, as --no-tui does', async () => {
  terminal = new TestTerminal(['dev', '--grpc-port', '0', '--http-port', '0'], project, undefined, 'dumb');
  await terminal.shows(/✓ worker +[\d.]+ m?s +serving/, 30_000);
  expect((await runCli(['trigger', 'workflow', 'yearly'], { cwd: project })).code).toBe(0);
  await terminal.shows(/yearly +RUN_FINISHED/);
  terminal.press('\u0003');
  await terminal.shows(/stopping: workers, engine and Postgres end/);
  expect(await terminal.exited).toBe(130);
  expect(terminal.written).not.toContain('\u001b');
});
