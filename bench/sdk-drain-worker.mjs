// The worker of bench/sdk-drain.ts. It says when it is ready.
import { Hatchet } from '../dist/sdk/index.js';

const hatchet = Hatchet.init();
const noop = hatchet.task({ name: 'noop', fn: () => ({}) });
const worker = await hatchet.worker('bench', { workflows: [noop], slots: 500 });
void worker.waitUntilReady().then(() => process.send?.('ready'));
await worker.start();
