import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';

const kill = JSON.stringify(new URL('../../../sdk/worker/kill-signals.ts', import.meta.url).href);

/** A program with two workers, of which one takes longer to stop. It says `stopped` and `ended` itself. */
const program = `
  import(${kill}).then(({ onKillSignals }) => {
    const forget = [];
    const worker = (name, stop) => forget.push(onKillSignals(async () => {
      await stop();
      console.log('stopped ' + name);
      forget.shift()();
    }));
    worker('quick', async () => {});
    worker('slow', () => new Promise((resolve) => process.stdin.once('data', resolve)));
    process.stdin.resume();
    console.log('ready');
  });
`;

async function run(
  onLine: (line: string, child: ReturnType<typeof spawn>) => void,
): Promise<{ code: number | null; lines: string[] }> {
  const child = spawn(process.execPath, ['--import', 'tsx', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: string[] = [];
  child.stdout.on('data', (data: Buffer) => {
    for (const line of data.toString().trim().split('\n')) {
      lines.push(line);
      onLine(line, child);
    }
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, lines };
}

it('ends the process once all of its workers have stopped, not with the first', async () => {
  const { code, lines } = await run((line, child) => {
    if (line === 'ready') child.kill('SIGTERM');
    if (line === 'stopped quick') setImmediate(() => child.stdin?.write('go\n'));
  });
  expect(lines).toEqual(['ready', 'stopped quick', 'stopped slow']);
  expect(code).toBe(0);
});

it('ends it at once on a second signal', async () => {
  const { code, lines } = await run((line, child) => {
    if (line === 'ready') child.kill('SIGTERM');
    if (line === 'stopped quick') child.kill('SIGINT');
  });
  expect(lines).toEqual(['ready', 'stopped quick']);
  expect(code).toBe(130);
});
