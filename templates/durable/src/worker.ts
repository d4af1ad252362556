import { agent } from './agent.ts';
import { hatchet } from './hatchet.ts';
import { locate } from './locate.ts';
import { purchase } from './purchase.ts';

const worker = await hatchet.worker('durable-worker', { workflows: [purchase, agent, locate] });
await worker.start();
