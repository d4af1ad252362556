import { defineConfig } from 'vitest/config';
import { exceptions, topology } from './test/topologies.ts';

/** As `patient` has it for `vi.waitFor`; the default is one second. */
const expectations = { poll: { timeout: 20_000 } };

/** Whole programs and real processes: they wait more than they compute, and one file at a time keeps their time-outs honest. */
const endToEnd = {
  exclude: exceptions[topology].map(({ file }) => file),
  setupFiles: ['test/helpers/no-faults.ts', 'test/helpers/no-odd-answers.ts'],
  globalSetup: ['test/helpers/postgres-server.ts'],
  expect: expectations,
  testTimeout: 120_000,
  hookTimeout: 120_000,
  fileParallelism: false,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.{ts,tsx}', 'test/architecture.test.ts'],
          expect: expectations,
          testTimeout: 30_000,
          typecheck: { enabled: false },
        },
      },
      // Histories of engines in simulated time, without a Postgres; more of them by `npm run test:simulation`.
      { test: { name: 'simulation', include: ['test/simulation/*.test.ts'], testTimeout: 60_000 } },
      {
        test: {
          name: 'db',
          include: ['test/db/**/*.test.ts'],
          setupFiles: ['test/helpers/no-faults.ts', 'test/helpers/no-odd-answers.ts'],
          globalSetup: ['test/helpers/postgres-server.ts'],
          expect: expectations,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: 'e2e', include: ['test/e2e/*.test.ts'], ...endToEnd } },
      // What users of the SDK do, against our engine, and against a cluster: its double, or the one that the environment names.
      { test: { name: 'sdk', include: ['test/sdk/*.test.ts'], ...endToEnd, provide: { sdkTarget: 'engine' } } },
      { test: { name: 'cluster', include: ['test/sdk/*.test.ts'], ...endToEnd, provide: { sdkTarget: 'cluster' } } },
      // What a developer types: commands, `hatchet dev`, the terminal UI, templates. (Installing is with the others: so both lanes take about as long.)
      { test: { name: 'cli', include: ['test/e2e/cli/*.test.ts'], ...endToEnd } },
      // The page, in a browser on the engine that serves it.
      { test: { name: 'page', include: ['test/page/*.test.ts'], ...endToEnd } },
      // Every template as a newcomer has it, with what it installs: `npm run test:first-hour`.
      { test: { name: 'first-hour', include: ['test/e2e/first-hour/*.test.ts'], ...endToEnd, testTimeout: 300_000 } },
    ],
  },
});
