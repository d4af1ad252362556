import { afterAll, beforeAll, expect, it } from 'vitest';
import { Hatchet, type Worker } from '../../../sdk/index.ts';
import { ClusterDouble } from '../../helpers/cluster-double/cluster-double.ts';
import { engineProcessFixture } from '../../helpers/engine-fixture.ts';
import { TestTerminal } from '../../helpers/test-terminal.ts';
import { quiet } from '../../helpers/quiet-logger.ts';

const fixture = engineProcessFixture('cluster ui');
let double: ClusterDouble;
let hatchet: Hatchet;
let worker: Worker;
let running: Promise<void>;
let terminal: TestTerminal;

beforeAll(async () => {
  double = await ClusterDouble.start(fixture.engine.ready);
  hatchet = Hatchet.init({
    token: fixture.token,
    hostPort: double.hostPort,
    apiUrl: double.apiUrl,
    logger: () => quiet,
  });
  const stay = hatchet.task({
    name: 'stay',
    fn: async (_: object, ctx) => {
      await ctx.logger.info('I stay');
      return new Promise<object>((resolve) => ctx.abortController.signal.addEventListener('abort', () => resolve({})));
    },
  });
  const dag = hatchet.workflow({ name: 'dag' });
  const first = dag.task({ name: 'first', fn: () => ({ n: 1 }) });
  dag.task({ name: 'second', parents: [first], fn: () => ({ n: 2 }) });
  const boom = hatchet.task({
    name: 'boom',
    fn: () => {
      throw new Error('no such luck');
    },
  });
  worker = await hatchet.worker('cluster-ui', { handleKill: false, workflows: [stay, dag, boom] });
  running = worker.start();
  await worker.waitUntilReady();
  await hatchet.runNoWait('dag', {});
});

afterAll(async () => {
  terminal.kill();
  await worker.stop();
  await running;
  hatchet.close();
  await double.stop();
});

it('shows runs of a cluster as they happen, triggers, cancels and replays one, and opens it with its tasks, logs and failure', async () => {
  terminal = new TestTerminal(['tui'], fixture.folder, undefined, undefined, {
    columns: 80,
    rows: 24,
    env: {
      ...fixture.env,
      HATCHET_CLIENT_HOST_PORT: double.hostPort,
      HATCHET_CLIENT_API_URL: double.apiUrl,
    },
  });
  await terminal.shows(/COMPLETED +dag/);
  terminal.press('\r');
  await terminal.shows(/✓ first +─+▶✓ second/);
  terminal.press('\u001b');
  await hatchet.runNoWait('boom', {});
  await terminal.shows(/FAILED +boom .*no such luck/);
  // Workflows, and one triggered from there.
  terminal.press('2');
  await terminal.shows(/stay +ACTIVE +1/);
  terminal.press('/');
  terminal.press('stay');
  await terminal.shows(/search: stay/);
  terminal.press('\r');
  await expect.poll(() => terminal.screen()).not.toContain('search: ');
  await terminal.shows(/▸ stay/);
  terminal.press('t');
  await terminal.shows(/input +\{\}/);
  terminal.press('\r');
  await terminal.shows(/triggered stay/);
  terminal.press('1');
  await terminal.shows(/▸ . RUNNING +stay/);
  terminal.press('\r');
  await terminal.shows(/RUNNING stay/);
  terminal.press('l');
  await terminal.shows(/INFO +I stay|I stay/);
  terminal.press('w');
  await terminal.shows(/does not tell what a run waits for/);
  terminal.press('x');
  await terminal.shows(/y cancels it/);
  terminal.press('y');
  await terminal.shows(/CANCELLED stay/);
  terminal.press('R');
  await terminal.shows(/y .*again|runs it again/);
  terminal.press('y');
  await terminal.shows(/RUNNING stay/);
  terminal.press('x');
  await terminal.shows(/y cancels it/);
  terminal.press('y');
  await terminal.shows(/CANCELLED stay/);
  terminal.press('\u001b');
  terminal.press('3');
  await terminal.shows(/cluster-ui +ACTIVE/);
  terminal.press('4');
  await terminal.shows(/only a hatchet-ts engine tells what waits in its queues/);
  terminal.press('5');
  await terminal.shows(/No cron/);
  terminal.press('O');
  await terminal.shows(/only a hatchet-ts engine makes links to its page/);
  expect(terminal.screen()).not.toContain('unknown service');
  terminal.press('q');
  expect(await terminal.exited).toBe(0);
});
