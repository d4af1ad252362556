import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Hatchet } from '../../../sdk/index.ts';
import { freePort } from '../../helpers/free-port.ts';
import { processesIn } from '../../helpers/left-behind.ts';
import { makeLinkedProject } from '../../helpers/linked-project.ts';
import { CliSession, runCli } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { quiet } from '../../helpers/quiet-logger.ts';

const folder = makeTempFolder('failure reasons');
let project = '';
let dev: CliSession;
let hatchet: Hatchet;
/** Where nothing listens. */
let port = 0;

const worker = (closed: number): string => `import { Hatchet } from 'hatchet-ts';

const hatchet = Hatchet.init();

interface Order { id: string }

async function load(order: Order): Promise<string> {
  const answer = await fetch('http://127.0.0.1:${closed}/' + order.id);
  return await answer.text();
}

const fetches = hatchet.task({ name: 'fetches', fn: async (input: Order) => ({ text: await load(input) }) });
const several = hatchet.task({ name: 'several', fn: async () => { await Promise.any([load({ id: 'a' }), Promise.reject(Object.assign(new Error('the cache is cold'), { code: 'ECOLD' }))]); } });
const talks = hatchet.task({
  name: 'talks',
  fn: async (_: object, ctx) => {
    for (let index = 0; index < 30; index += 1) void ctx.log('line ' + index);
    console.log('printed %d', 7);
    await new Promise((resolve) => setTimeout(resolve, 20));
    console.error('printed too');
  },
});

const worker = await hatchet.worker('reasons', { workflows: [fetches, several, talks] });
await worker.start();
`;

beforeAll(async () => {
  project = await makeLinkedProject(folder, 'simple');
  port = await freePort();
  writeFileSync(join(project, 'src', 'worker.ts'), worker(port));
  dev = new CliSession(['dev', '--no-tui', '--grpc-port', '0', '--http-port', '0'], { cwd: project });
  await vi.waitFor(() => expect(dev.output).toMatch(/serving/), { timeout: 30_000 });
  hatchet = Hatchet.init({
    token: readFileSync(join(project, '.hatchet', 'token'), 'utf8').trim(),
    logger: () => quiet,
  });
});

afterAll(async () => {
  hatchet.close();
  await dev.end('SIGINT');
  await vi.waitFor(() => expect(processesIn(project)).toEqual([]), { timeout: 15_000 });
  rmSync(folder, { recursive: true, force: true });
});

describe('why a task failed', () => {
  it('is said whole: to the caller, in the log of the worker, and by the commands', async () => {
    const reason = `fetch failed: connect ECONNREFUSED 127.0.0.1:${port}`;
    const ref = await hatchet.runNoWait('fetches', { id: 'x' });
    const error: unknown = await ref.result().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: reason, errors: [{ message: reason, code: 'ECONNREFUSED' }] });

    await expect.poll(() => dev.output).toContain(`failed: ${reason}`);
    const { stdout } = await runCli(['runs', 'get', ref.workflowRunId], { cwd: project });
    expect(stdout).toContain('TypeError: fetch failed\n');
    expect(stdout).toMatch(new RegExp(`caused by Error: connect ECONNREFUSED 127\\.0\\.0\\.1:${port}\n`));
    // The lines of the source, and nothing of the worker's own.
    expect(stdout).toMatch(/at (?:async )?load \(.*src\/worker\.ts:8:18\)/);
    expect(stdout).not.toMatch(/task-runner|processTicksAndRejections/);
    expect((await runCli(['runs', 'list', '--workflow', 'fetches', '-o', 'json'], { cwd: project })).stdout).toContain(
      reason,
    );
    const waited = await runCli(['trigger', 'workflow', 'fetches', '--input', '{"id":"x"}', '--wait'], {
      cwd: project,
    });
    expect(waited.stderr).toContain(reason);
  });

  it('is each of several errors', async () => {
    const error: unknown = await hatchet.run('several', {}).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      message: `All promises were rejected: fetch failed: connect ECONNREFUSED 127.0.0.1:${port}; the cache is cold (ECOLD)`,
    });
    expect(error).toMatchObject({
      errors: [{ stack: expect.stringMatching(/error 2 of 2: Error: the cache is cold \(ECOLD\)\n.*src\/worker\.ts/) }],
    });
  });
});

describe('the log of a run', () => {
  it('has what its task prints, as the terminal has, and is read from its end', async () => {
    const ref = await hatchet.runNoWait('talks', {});
    await ref.result();
    const logs = async (...flags: string[]): Promise<string[]> => {
      const { code, stdout, stderr } = await runCli(['runs', 'logs', ref.workflowRunId, '-o', 'ndjson', ...flags], {
        cwd: project,
      });
      expect(code, stderr).toBe(0);
      return stdout
        .trim()
        .split('\n')
        .map((text) => {
          const { level, message }: { level: string; message: string } = JSON.parse(text);
          return `${level} ${message}`;
        });
    };
    const all = [
      ...Array.from({ length: 30 }, (_, index) => `INFO line ${index}`),
      'INFO printed 7',
      'ERROR printed too',
    ];
    await expect.poll(() => logs()).toEqual(all);
    expect(await logs('--tail', '4')).toEqual(all.slice(-4));
    expect(await logs('--tail', '2', '--level', 'INFO')).toEqual(all.slice(-3, -1));
    expect(await logs('--follow')).toEqual(all);
    expect(await logs('--follow', '--tail', '3')).toEqual(all.slice(-3));
    expect(
      (await runCli(['runs', 'logs', ref.workflowRunId, '--tail', '3', '--limit', '3'], { cwd: project })).code,
    ).toBe(2);
    expect(dev.output).toContain('printed 7');
    expect(dev.output).toContain('printed too');
  });
});
