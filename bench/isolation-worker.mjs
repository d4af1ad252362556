// The worker of bench/isolation-heartbeat.ts. argv: processes and threads at once. Each second it prints how late its event loop was.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { Hatchet, runnerLevel } from '../dist/sdk/index.js';

const hatchet = Hatchet.init();

function burn({ ms }) {
  for (const end = performance.now() + ms; performance.now() < end;);
  return { done: true };
}

const tasks = [
  hatchet.task({ name: 'inline', fn: burn }),
  hatchet.task({ name: 'thread', isolation: 'thread', fn: burn }),
  hatchet.task({ name: 'process', isolation: 'process', fn: burn }),
  hatchet.task({ name: 'sandbox', isolation: 'sandbox', fn: burn }),
  hatchet.task({ name: 'empty', fn: () => ({ at: Date.now() }) }),
];

if (runnerLevel() === undefined) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  // Heartbeats come from a thread: this one does nothing but notice how late it is.
  const beside = new Worker(
    `
    const { parentPort } = require('node:worker_threads');
    const delay = require('node:perf_hooks').monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    parentPort.on('message', () => { parentPort.postMessage(delay.max / 1e6); delay.reset(); });
  `,
    { eval: true },
  );
  process.on('message', () => {
    beside.once('message', (thread) => {
      process.send({ p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6, thread });
      delay.reset();
    });
    beside.postMessage('tell');
  });
}
const worker = await hatchet.worker('bench', { workflows: tasks, isolation: { runners: Number(process.argv[2]) } });
void worker.waitUntilReady().then(() => process.send?.('ready'));
await worker.start();
