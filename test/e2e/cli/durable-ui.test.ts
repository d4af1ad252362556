import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { packageRoot } from '../../helpers/engine-process.ts';
import { processesIn } from '../../helpers/left-behind.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { TestTerminal } from '../../helpers/test-terminal.ts';

/** Leaves its worker as soon as it waits; no wait ends by itself in the time of a test. */
const source = `
import { HatchetClient, Or, SleepCondition, UserEventCondition } from '@hatchet-dev/typescript-sdk/v1/index.js';

const hatchet = HatchetClient.init();
const pay = hatchet.task({ name: 'pay', fn: async (input) => ({ paid: input.cents }) });
const approval = hatchet.durableTask({
  name: 'approval',
  executionTimeout: '60s',
  evictionPolicy: { ttl: 200, allowCapacityEviction: true, priority: 0 },
  fn: async (_, ctx) => {
    const answer = await ctx.waitFor(Or(new SleepCondition('1h', 'late'), new UserEventCondition('approve', '', 'answer')));
    const paid = await pay.run({ cents: 1200 });
    await ctx.sleepFor('2h');
    return { answer, paid };
  },
});
const worker = await hatchet.worker('approvals', { workflows: [pay, approval], slots: 10 });
await worker.start();
`;

const folder = makeTempFolder('durable ui');
const project = join(folder, 'demo');
const worker = join(project, 'src', 'worker.ts');
let terminal: TestTerminal;

beforeAll(() => {
  mkdirSync(join(project, 'node_modules'), { recursive: true });
  mkdirSync(join(project, 'src'));
  symlinkSync(join(packageRoot, 'node_modules', '@hatchet-dev'), join(project, 'node_modules', '@hatchet-dev'), 'dir');
  writeFileSync(join(project, 'package.json'), '{"name":"demo","private":true,"type":"module"}');
  writeFileSync(worker, source);
  terminal = new TestTerminal(['dev', '--grpc-port', '0', '--http-port', '0'], project);
  terminal.resize(80, 24);
});

afterAll(async () => {
  terminal.kill();
  await vi.waitFor(() => expect(processesIn(project)).toEqual([]), { timeout: 15_000 });
  rmSync(folder, { recursive: true, force: true });
});

describe('a durable task in the terminal UI', () => {
  it('is seen to leave its worker, and opens with its log', async () => {
    await terminal.shows(/worker serving/, 30_000);
    terminal.press('t');
    await terminal.shows(/type to find/);
    terminal.press('appr');
    await terminal.shows(/workflow +appr *│\n│ ▸ approval/);
    terminal.press('\r');
    await terminal.shows(/enter triggers/);
    terminal.press('\r');
    await terminal.shows(/◌ EVICTED +approval/);
    terminal.press('\r');
    await terminal.shows(/▸\[d\]urable/);
    await terminal.shows(/▸└─ 1 … sleep 1h or event "approve" .* #1/);
    await terminal.shows(/waits .*, ends in 59 m/);
  });

  it('goes on when its sleep is skipped, seen as it happens; a child is opened from its node', async () => {
    terminal.press('s');
    await terminal.shows(/├─ 2 ✓ run pay\(\{"cents":1200\}\) → \{"paid":1200\}/);
    await terminal.shows(/▸└─ 3 … sleep 2h/);
    await terminal.shows(/◌ EVICTED approval/);
    terminal.press('k');
    await terminal.shows(/▸├─ 2 ✓/);
    terminal.press('\r');
    await terminal.shows(/✓ COMPLETED pay/);
    terminal.press('\u001b');
    await terminal.shows(/▸└─ 3 … sleep 2h/);
  });

  it('names the run, the node and both sides when it resumes on code that took another way', async () => {
    writeFileSync(worker, readFileSync(worker, 'utf8').replace("SleepCondition('1h'", "SleepCondition('90m'"));
    await terminal.shows(/worker serving \(1 reload\)/);
    terminal.press('s');
    await terminal.shows(
      /✗ approval [0-9a-f]{8}…[0-9a-f]{4} does not fit the code any more, at node 1\n +its log holds +sleep 1h or event "approve"\n +the code asks +sleep 90m or event "approve"\n.*patched\(\)/,
    );
    await terminal.shows(/✗ FAILED approval/);
    terminal.press('m');
    await terminal.shows(/▸├─ 1 ✓ sleep 1h/);
    expect(terminal.screen()).not.toContain('does not fit');
  });

  it('branches from the node after asking, and shows both branches', async () => {
    terminal.press('b');
    await terminal.shows(/Run approval again from node 1\?/);
    terminal.press('y');
    await terminal.shows(
      /├─ branch 2, from node 1 of branch 1 \(the present one\)\n.*│ └─ 1 … sleep 90m or event "approve"/,
    );
    await terminal.shows(/├─ 1 ✓ sleep 1h or event "approve"/);
    await terminal.shows(/◌ EVICTED approval/);
  });
});
