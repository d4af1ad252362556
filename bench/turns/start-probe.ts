/**
 * A tenant that triggers a task each 50 ms and has a worker for it, in a process of its own: how long each takes from the call
 * until the worker has it. `address token` as arguments; the parent says when to begin, and when to stop.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { TenantClient } from '../tenant-client.ts';
import { BareWorker } from './bare-worker.ts';

const everyMs = 50;
/** Tasks that have not started by then count as this old. */
const patienceMs = 30_000;

export interface ProbeFigures {
  /** Milliseconds each. */
  took: number[];
  /** From the beginning until the first task that was triggered since had started. */
  firstAfterMs: number;
  /** Triggers that were answered by a failure, as while no engine is there. */
  failed: number;
}

const [address = '', token = ''] = process.argv.slice(2);
const tenant = new TenantClient(address, token);
const waiting = new Map<number, number>();
let count = 0;
let took: number[] = [];
let failed = 0;
let beganAt = 0;
let firstAfterMs = 0;

const worker = new BareWorker({
  address,
  token,
  onStart: (action) => {
    const nowMs = performance.now();
    const { input }: { input: { n: number } } = JSON.parse(action.actionPayload);
    const sentAt = waiting.get(input.n);
    waiting.delete(input.n);
    worker.complete(action).catch(() => undefined); // an attempt that is over at a kill is none of this probe's
    if (sentAt === undefined) return;
    if (took.length === 0) firstAfterMs = nowMs - beganAt;
    took.push(nowMs - sentAt);
  },
});

async function one(): Promise<void> {
  const n = count++;
  waiting.set(n, performance.now());
  try {
    await tenant.trigger('probe', JSON.stringify({ n }));
  } catch {
    waiting.delete(n);
    failed++;
  }
}

let running: NodeJS.Timeout | undefined;
function begin(): void {
  took = [];
  failed = 0;
  waiting.clear();
  beganAt = performance.now();
  running = setInterval(() => void one(), everyMs);
}

async function finish(): Promise<void> {
  clearInterval(running);
  const until = performance.now() + patienceMs;
  while (waiting.size > 0 && performance.now() < until) await delay(20);
  const nowMs = performance.now();
  for (const sentAt of waiting.values()) took.push(nowMs - sentAt);
  const figures: ProbeFigures = { took, firstAfterMs, failed };
  process.send?.(figures);
}

process.on('message', (message) => (message === 'begin' ? begin() : void finish()));
process.on('disconnect', () => process.exit());
await tenant.putWorkflow('probe');
await worker.start(['probe:only'], 1_000);
process.send?.('ready');
