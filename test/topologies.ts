/** What can stand where an end-to-end test has an engine. */
export const topologies = ['one', 'edges', 'replicas'] as const;
export type Topology = (typeof topologies)[number];

/**
 * By HATCHET_TEST_TOPOLOGY: `one` engine, the default; an engine with two `edges`, that the connections of clients go to in turn; or
 * three `replicas`, of which one has the tenant `default`, and connections go to all three in turn.
 */
export const topology: Topology =
  topologies.find((each) => each === process.env['HATCHET_TEST_TOPOLOGY']) ?? topologies[0];

interface Exception {
  file: string;
  reason: string;
}

const ownEngines: readonly Exception[] = [
  { file: 'test/e2e/edges.test.ts', reason: 'starts an engine with two edges, and an edge alone' },
  { file: 'test/e2e/kill.test.ts', reason: 'starts one engine, three, and two edges before three' },
  { file: 'test/e2e/metrics.test.ts', reason: 'is about what one engine says of itself' },
  { file: 'test/e2e/replica-calls.test.ts', reason: 'is about which of two engines carries a call out' },
  { file: 'test/e2e/replicas.test.ts', reason: 'starts three engines' },
  { file: 'test/e2e/rolling-upgrade.test.ts', reason: 'replaces three engines by those of another version' },
  { file: 'test/e2e/standby.test.ts', reason: 'is about who has which shard as engines come and go' },
  { file: 'test/e2e/commonjs.test.ts', reason: 'is about createTestEngine, whose engine is one process' },
  { file: 'test/e2e/testing.test.ts', reason: 'is about createTestEngine, whose engine is one process' },
  { file: 'test/e2e/doc-examples.test.ts', reason: 'compiles examples; there is no engine' },
  { file: 'test/e2e/cli/*.test.ts', reason: 'are about commands, which start their engine' },
  { file: 'test/e2e/first-hour/*.test.ts', reason: 'walk through templates, whose commands start their engine' },
  { file: 'test/e2e/install.test.ts', reason: 'is about an installed package, whose commands start their engine' },
];

const oneThatStarts: readonly Exception[] = [
  {
    file: 'test/e2e/slow-recovery.test.ts',
    reason:
      'is about the ports that an engine opens while it recovers: edges, and other engines, send nothing to it until it has',
  },
  {
    file: 'test/e2e/tenant-purge-kills.test.ts',
    reason: 'kills an engine in the middle of a purge, which is over before its edges, or other engines, have started',
  },
];

/** Files whose tests do not run in a topology, which is all of them that do not. */
export const exceptions: Readonly<Record<Topology, readonly Exception[]>> = {
  one: [],
  edges: [...ownEngines, ...oneThatStarts],
  replicas: [...ownEngines, ...oneThatStarts],
};
