import { hatchet } from './hatchet.ts';
import { reminder } from './reminder.ts';
import { report } from './report.ts';

const worker = await hatchet.worker('scheduled-worker', { workflows: [report, reminder], slots: 100 });
await worker.start();
