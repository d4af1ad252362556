import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { kernelKeepsSandboxes } from '../../helpers/kernel-sandbox.ts';
import { makeLinkedProject } from '../../helpers/linked-project.ts';
import { CliSession, runCli } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const folder = makeTempFolder('dev isolation');
let project = '';
let dev: CliSession;

const program = `
import { readFileSync } from 'node:fs';
import { Hatchet } from 'hatchet-ts';

const hatchet = Hatchet.init();
const spins = hatchet.task({
  name: 'spins',
  isolation: 'process',
  executionTimeout: '2s',
  fn: (input: { forever: boolean }) => {
    while (input.forever);
    return {};
  },
});
const reads = hatchet.task({ name: 'reads', isolation: 'sandbox', fn: () => ({ text: readFileSync('/etc/hostname', 'utf8') }) });
const plain = hatchet.task({ name: 'plain', fn: () => ({ pid: process.pid }) });
await (await hatchet.worker('apart', { workflows: [spins, reads, plain], isolation: ${JSON.stringify(kernelKeepsSandboxes ? {} : { weakerSandbox: 'accept' })} })).start();
`;

function trigger(name: string, input: object): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return runCli(['trigger', 'workflow', name, '--input', JSON.stringify(input), '--wait', '-o', 'json'], {
    cwd: project,
  });
}

beforeAll(async () => {
  project = await makeLinkedProject(folder, 'simple');
  writeFileSync(join(project, 'src', 'worker.ts'), program);
  dev = new CliSession(['dev', '--no-tui', '--grpc-port', '0', '--http-port', '0'], { cwd: project });
  await vi.waitFor(() => expect(dev.output).toMatch(/serving/), { timeout: 30_000 });
});

afterAll(async () => {
  await dev.end('SIGINT');
  rmSync(folder, { recursive: true, force: true });
});

it('runs tasks that are apart, which end with their reason and leave the worker unharmed', async () => {
  expect((await trigger('spins', { forever: false })).code).toBe(0);
  const [endless, refused, plain] = await Promise.all([
    trigger('spins', { forever: true }),
    trigger('reads', {}),
    trigger('plain', {}),
  ]);
  expect(endless.stdout + endless.stderr).toContain('Task exceeded timeout of 2s');
  expect(refused.stdout + refused.stderr).toContain('ERR_ACCESS_DENIED');
  expect(plain.code).toBe(0);
});
