import { album } from './album.ts';
import { hatchet } from './hatchet.ts';
import { thumbnail } from './thumbnail.ts';

const worker = await hatchet.worker('album-worker', { workflows: [album, thumbnail], slots: 100 });
await worker.start();
