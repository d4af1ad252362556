import { createConnection, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { Hatchet } from '../../sdk/index.ts';
import { randomFrom } from '../helpers/random.ts';
import { engineForTest } from '../helpers/engine-fixture.ts';
import { quiet } from '../helpers/quiet-logger.ts';

/** A TCP proxy that can lose answers: for a while what the server says is dropped, then every connection is cut. */
async function startProxy(target: {
  host: string;
  port: number;
}): Promise<{ port: number; loseAnswers(ms: number): Promise<void>; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  let losing = false;
  const server = createServer((client) => {
    const upstream = createConnection(target);
    for (const [from, to, isAnswer] of [
      [client, upstream, false],
      [upstream, client, true],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => {
        if (!(losing && isAnswer)) to.write(data);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async loseAnswers(ms) {
      losing = true;
      await delay(ms);
      for (const socket of sockets) socket.destroy();
      losing = false;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

it('loses and doubles nothing on a network that loses answers', async () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  const random = randomFrom(seed);
  const { database, engine } = await engineForTest('sdk-network', { logLevel: 'error' });
  const proxy = await startProxy(engine.grpc);
  onTestFinished(() => proxy.stop());
  const hatchet = Hatchet.init({ token: engine.token, hostPort: `127.0.0.1:${proxy.port}`, logger: () => quiet });
  onTestFinished(() => hatchet.close());

  const calls = new Map<number, number>();
  const task = hatchet.task({
    name: 'networked',
    fn: async (input: { n: number }) => {
      calls.set(input.n, (calls.get(input.n) ?? 0) + 1);
      await delay(input.n % 20);
      return { n: input.n };
    },
  });
  const worker = await hatchet.worker('networked', { workflows: [task], handleKill: false });
  const running = worker.start();
  onTestFinished(async () => {
    await worker.stop();
    await running;
  });
  await worker.waitUntilReady();
  const id = worker.workerId;

  const total = 300;
  const runs: Promise<{ n: number }>[] = [];
  let losses = 0;
  const done = new AbortController();
  const disturb = (async () => {
    while (!done.signal.aborted) {
      await delay(20 + random() * 80);
      await proxy.loseAnswers(5 + random() * 40);
      losses += 1;
    }
  })();
  for (let n = 0; n < total; n += 1) {
    runs.push(task.run({ n }));
    await delay(10);
  }
  done.abort();
  await disturb;

  const outputs = await Promise.all(runs);
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query<{ runs: number }>('SELECT count(*)::int AS runs FROM run');
  await client.end();
  console.log(
    `seed ${seed}: ${losses} losses, ${total} runs, ${rows[0]?.runs} in the database, ${[...calls.values()].filter((count) => count > 1).length} run twice`,
  );
  expect(outputs).toEqual(Array.from({ length: total }, (_, n) => ({ n })));
  expect(rows[0]?.runs).toBe(total);
  expect([...calls.values()].every((count) => count === 1)).toBe(true);
  expect(calls.size).toBe(total);
  expect(worker.workerId).toBe(id);
});
