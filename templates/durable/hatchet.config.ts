import { defineConfig } from 'hatchet-ts/config';

export default defineConfig({
  dev: { entry: 'src/worker.ts' },
});
