import { hatchet } from './hatchet.ts';
import { signup } from './signup.ts';

const worker = await hatchet.worker('events-worker', { workflows: [signup], slots: 100 });
const running = worker.start();
await worker.waitUntilReady();
console.log(`Try: npx hatchet trigger event user:created --scope shop --data '{"name":"Ada","plan":"pro"}'`);
await running;
