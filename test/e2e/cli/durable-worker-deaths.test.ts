import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeLinkedProject } from '../../helpers/linked-project.ts';
import { CliSession } from '../../helpers/run-cli.ts';
import { engineFixture } from '../../helpers/engine-fixture.ts';

/** Two deaths are enough: the command starts a worker again five times at most. */
const fixture = engineFixture('durable worker deaths', { workerTimeoutMs: 3_600_000, maxWorkerDeaths: 2 });

const program = `
import { Hatchet } from 'hatchet-ts';
const hatchet = Hatchet.init();
const advancing = hatchet.durableTask({ name: 'advancing', executionTimeout: '10m', fn: async (_: object, ctx) => {
  for (const step of [1, 2]) {
    await ctx.memo(['step', step], () => step);
    if (ctx.invocationCount === step) process.exit(7);
  }
  return { invocations: ctx.invocationCount };
} });
const stuck = hatchet.durableTask({ name: 'stuck', executionTimeout: '10m', fn: async (_: object, ctx) => {
  await ctx.memo(['only'], () => 1);
  process.exit(7);
} });
const worker = await hatchet.worker('deaths', { workflows: [advancing, stuck] });
await worker.start();
`;

let worker: CliSession;

beforeAll(async () => {
  const project = await makeLinkedProject(fixture.folder, 'simple');
  writeFileSync(join(project, 'src', 'worker.ts'), program);
  worker = new CliSession(['worker', 'start', '--processes', '2'], {
    cwd: project,
    env: { HATCHET_CLIENT_TOKEN: fixture.engine.token },
  });
  await vi.waitFor(() => expect(worker.output).toContain('serving'), { timeout: 30_000 });
});

afterAll(async () => {
  await worker.end('SIGINT');
});

describe('a durable task whose worker dies', () => {
  it('goes on for as long as it gets a step further each time, past the number of deaths that ends a task', async () => {
    await expect(fixture.hatchet.run('advancing', {})).resolves.toEqual({ advancing: { invocations: 3 } });
  });

  it('is given up when it gets no further', async () => {
    await expect(fixture.hatchet.run('stuck', {})).rejects.toThrow(
      'its worker died (exit code 7); 2 workers have died under this task since its log last grew',
    );
  });
});
