/**
 * By how much log lines delay the end of the task that writes them: from the return of its function to its caller's answer,
 * with 5,000 lines a second and with none. Prints one JSON object. `npm run bench:logs [seconds]`, with the built package.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { Hatchet } from '../sdk/index.ts';
import { endProcess, launchEngine } from './launch-engine.ts';

const seconds = Number(process.argv[2] ?? 15);
const perSecond = 5_000;
/** How often the task writes its share. */
const stepMs = 10;
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const dataDir = mkdtempSync(join(tmpdir(), 'hatchet-bench-logs-'));
const engine = await launchEngine(dataDir);
const hatchet = Hatchet.init({ token: engine.token, hostPort: engine.address, logger: () => quiet });
const sql = new Client({ connectionString: engine.databaseUrl });
await sql.connect();

let returnedAt = 0;
const chatty = hatchet.task({
  name: 'chatty',
  executionTimeout: `${seconds + 30}s`,
  fn: async (input: { lines: number }, ctx) => {
    const startedAt = performance.now();
    for (let written = 0, share = 0; share < 1; await delay(stepMs)) {
      share = Math.min(1, (performance.now() - startedAt) / (seconds * 1000));
      for (const due = Math.round(input.lines * share); written < due; written++)
        void ctx.log(`line ${written} of a task that has much to say`);
    }
    returnedAt = performance.now();
    return { done: true };
  },
});
const worker = await hatchet.worker('chatty', { workflows: [chatty], slots: 1 });
void worker.start();
await worker.waitUntilReady();

async function endDelay(lines: number): Promise<number> {
  await chatty.run({ lines });
  return Math.round(performance.now() - returnedAt);
}

const silent = await endDelay(0);
const withLines = await endDelay(perSecond * seconds);
const { rows } = await sql.query<{ count: string }>('SELECT count(*) FROM log_line');
process.stdout.write(
  `${JSON.stringify({ perSecond, seconds, stored: Number(rows[0]?.count), endDelayMs: { silent, withLines } })}\n`,
);

await worker.stop();
hatchet.close();
await sql.end();
await endProcess(engine.child);
rmSync(dataDir, { recursive: true, force: true });
