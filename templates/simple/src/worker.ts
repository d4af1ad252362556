import { hatchet } from './hatchet.ts';
import { simple } from './simple.ts';

const worker = await hatchet.worker('simple-worker', { workflows: [simple], slots: 100 });
await worker.start();
