import { afterAll, beforeAll, expect, it } from 'vitest';
import { engineProcessFixture } from '../../helpers/engine-fixture.ts';
import { printed } from '../../helpers/printed.ts';
import { runCli } from '../../helpers/run-cli.ts';
import { TestTerminal } from '../../helpers/test-terminal.ts';

const fixture = engineProcessFixture('ui filter');
let terminal: TestTerminal | undefined;

beforeAll(async () => {
  const { hatchet } = fixture;
  const breaks = hatchet.task({
    name: 'breaks',
    fn: () => {
      throw new Error('it broke long ago');
    },
  });
  const waits = hatchet.task({ name: 'waits', fn: () => ({}) });
  const worker = await fixture.serve('early', { workflows: [breaks] });
  for (let n = 0; n < 7; n++)
    await breaks.run({}, { additionalMetadata: { customer: n < 3 ? 'ada' : 'bob' } }).catch(() => undefined);
  await worker.stop();
  // Nobody serves these: they are 10,000 newer ones.
  const other = await fixture.serve('names it', { workflows: [waits] });
  await other.stop();
  for (let n = 0; n < 10; n++) await waits.runNoWait(Array.from({ length: 1_000 }, () => ({})));
});

afterAll(() => terminal?.kill());

it('finds seven runs that failed long ago behind 10,000 newer ones, by status, by metadata, and in both places alike', async () => {
  terminal = new TestTerminal(['tui', '--data-dir', fixture.dataDir], '/');
  await terminal.shows(/QUEUED +waits/);
  await terminal.shows(/1 of 200\+/);
  terminal.press('ffff');
  await terminal.shows(/only status FAILED; esc shows all again +1 of 7\b/);
  expect(terminal.screen().match(/FAILED +breaks/g)).toHaveLength(7);
  expect(terminal.screen()).not.toContain('waits');
  terminal.press('\u001b');
  await terminal.shows(/QUEUED +waits/);
  terminal.press('/');
  await terminal.shows(/search:/);
  terminal.press('workflow:breaks customer:ada');
  await terminal.shows(/1 of 3\b/);
  terminal.press('\r');
  await expect.poll(() => terminal?.screen()).not.toContain('search: ');
  expect(terminal.screen().match(/FAILED +breaks/g)).toHaveLength(3);
  // One of them is opened though it is none of those in memory.
  terminal.press('\r');
  await terminal.shows(/▸\[f\]ailure[\s\S]*Error: it broke long ago/);
  const { rows } = printed(
    await runCli(['runs', 'list', 'status:failed', 'customer:bob', '-o', 'json', '--data-dir', fixture.dataDir], {
      cwd: '/',
    }),
  );
  expect(rows.map(({ workflow }) => workflow)).toEqual(Array(4).fill('breaks'));
  expect(await runCli(['runs', 'list', 'since:yesterday', '--data-dir', fixture.dataDir], { cwd: '/' })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('since:yesterday means nothing'),
  });
});

it('goes on loading at the end of the list', async () => {
  terminal ??= new TestTerminal(['tui', '--data-dir', fixture.dataDir], '/');
  terminal.press('\u001b');
  await expect.poll(() => terminal?.screen()).toMatch(/1 of 3\b/);
  terminal.press('\u001b');
  await terminal.shows(/1 of 200\+/);
  terminal.press('G');
  await terminal.shows(/200 of 700\+/);
  terminal.press('G');
  await terminal.shows(/700 of 1,200\+/);
});

it('prints lines where the terminal cannot be drawn on', async () => {
  const plain = new TestTerminal(['tui', '--data-dir', fixture.dataDir], '/', undefined, 'dumb');
  try {
    await plain.shows(/TERM=dumb/);
    expect((await runCli(['trigger', 'workflow', 'waits', '--data-dir', fixture.dataDir], { cwd: '/' })).code).toBe(0);
    await plain.shows(/waits +RUN_CREATED/);
    expect(plain.isOwnScreen).toBe(false);
    plain.press('\u0003');
    expect(await plain.exited).not.toBe(0);
  } finally {
    plain.kill();
  }
});
