import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { processesIn } from '../../helpers/left-behind.ts';
import { makeLinkedProject } from '../../helpers/linked-project.ts';
import { patient } from '../../helpers/patient.ts';
import { CliSession, runCli } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const folder = makeTempFolder('dev mismatch');
let project = '';
let dev: CliSession;

/** Leaves its worker at once, and goes on with code that catches everything. */
const source = (first: string): string => `
import { Hatchet } from 'hatchet-ts';

const hatchet = Hatchet.init();
const careless = hatchet.durableTask({
  name: 'careless',
  evictionPolicy: { ttl: '20ms' },
  fn: async (_: object, ctx) => {
    try {
      ${first};
      await ctx.waitForEvent('go-on');
    } catch {
      return { outcome: 'as if nothing had been' };
    }
    return { outcome: 'went on' };
  },
});
const worker = await hatchet.worker('careless', { workflows: [careless] });
await worker.start();
`;

function events(): Record<string, unknown>[] {
  return dev.stdout
    .trim()
    .split('\n')
    .flatMap((line): Record<string, unknown>[] => (line === '' ? [] : [JSON.parse(line)]));
}

async function told(what: Record<string, unknown>): Promise<void> {
  await vi.waitFor(() => expect(events()).toContainEqual(expect.objectContaining(what)), patient);
}

beforeAll(async () => {
  project = await makeLinkedProject(folder, 'simple');
  writeFileSync(join(project, 'src', 'worker.ts'), source("await ctx.memo(['price', 1], () => 7)"));
  dev = new CliSession(['dev', '-o', 'ndjson', '--grpc-port', '0', '--http-port', '0'], { cwd: project });
  await told({ type: 'worker-ready' });
});

afterAll(async () => {
  await dev.end('SIGINT');
  await vi.waitFor(() => expect(processesIn(project)).toEqual([]), { timeout: 15_000 });
  rmSync(folder, { recursive: true, force: true });
});

it('a run that a reload left behind fails with the mismatch, and hatchet dev says so, although the code catches it', async () => {
  const started = await runCli(['trigger', 'workflow', 'careless', '--input', '{}', '-o', 'json'], { cwd: project });
  const { runId }: { runId: string } = JSON.parse(started.stdout);
  await told({ type: 'run-event', event: 'DURABLE_EVICTED', runId });
  writeFileSync(join(project, 'src', 'worker.ts'), source("await ctx.sleepFor('1s')"));
  await told({ type: 'worker-ready', generation: 2 });
  await runCli(['trigger', 'event', 'go-on', '--data', '{}'], { cwd: project });
  await told({
    type: 'durable-mismatch',
    runId,
    workflow: 'careless',
    node: 1,
    recorded: expect.stringContaining('memo'),
    asked: 'sleep 1s',
  });
  await told({ type: 'run-event', event: 'FAILED', runId, mismatch: expect.objectContaining({ node: 1 }) });
  const { stdout } = await runCli(['runs', 'get', runId, '-o', 'json'], { cwd: project });
  expect(JSON.parse(stdout)).toMatchObject({ status: 'FAILED' });
});
