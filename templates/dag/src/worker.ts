import { hatchet } from './hatchet.ts';
import { order } from './order.ts';

const worker = await hatchet.worker('order-worker', { workflows: [order], slots: 100 });
await worker.start();
