/**
 * A tenant that does its worst, in a process of its own: what it costs its own process is no neighbour's affair.
 * `address token` as arguments; the parent says what to do, and when to stop.
 */
import { randomUUID } from 'node:crypto';
import type { ServiceError } from '@grpc/grpc-js';
import { TenantClient } from './tenant-client.ts';

const [address = '', token = ''] = process.argv.slice(2);
const tenant = new TenantClient(address, token);

const refused = (error: ServiceError): undefined =>
  void (error.code === undefined && process.stderr.write(`${String(error)}\n`));

async function repeat(until: AbortSignal, width: number, work: () => Promise<unknown>): Promise<void> {
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (!until.aborted) await work().catch(refused);
    }),
  );
}

const list = JSON.stringify({ l: Array.from({ length: 400 }, (_, n) => n + 1) });
/** 3.9 MB, of records as services send them; no two are alike. */
const records = JSON.stringify(
  Array.from({ length: 34_000 }, (_, n) => ({
    id: randomUUID(),
    name: `customer ${n}`,
    country: ['DE', 'FR', 'US', 'JP'][n % 4],
    amount: Math.floor(Math.random() * 1e6),
    open: n % 3 === 0,
  })),
).slice(1, -1);
const large = (): string => `{"call":"${randomUUID()}","records":[${records}]}`;
const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

const worst: Record<string, (until: AbortSignal) => Promise<void>> = {
  loopingExpressions: (until) => repeat(until, 20, () => tenant.trigger('loops', list)),
  poison: (until) =>
    repeat(until, 20, () => tenant.trigger('plain', Math.random() < 0.5 ? deep : '{"a":"\\u0000"}', '{"a":"\\ud800"}')),
  largePayloads: (until) => repeat(until, 4, () => tenant.trigger('plain', large())),
  thousandStreams: async (until) => {
    const stops = Array.from({ length: 1_000 }, () => tenant.watch());
    await repeat(until, 2, () => tenant.trigger('plain'));
    for (const stop of stops) stop();
  },
};

await tenant.putWorkflow('plain');
await tenant.putWorkflow('loops', {
  concurrency: [
    { expression: 'input.l.all(a, input.l.all(b, input.l.all(c, a + b + c > 0))) ? "x" : "y"', maxRuns: 1 },
  ],
});
process.send?.('ready');
let stop = new AbortController();
let running: Promise<unknown> = Promise.resolve();
process.on('message', (message: { start?: string[] }) => {
  if (message.start === undefined) {
    stop.abort();
    void running.then(() => process.send?.('stopped'));
    return;
  }
  stop = new AbortController();
  const { signal } = stop;
  running = Promise.all(message.start.map((name) => worst[name]?.(signal) ?? Promise.resolve()));
});
process.on('disconnect', () => process.exit());
