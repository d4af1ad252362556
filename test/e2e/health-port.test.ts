import { Worker as Thread } from 'node:worker_threads';
import { beforeAll, describe, expect, it } from 'vitest';
import { Hatchet } from '../../sdk/index.ts';
import { freePort } from '../helpers/free-port.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';
import { quiet } from '../helpers/quiet-logger.ts';

const fixture = engineFixture('health', { logLevel: 'error' });
let port: number;
let hatchet: Hatchet;

async function ask(path: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
  return { status: response.status, body: await response.text() };
}

async function until(status: number): Promise<string> {
  let answer = { status: 0, body: '' };
  const current = async (): Promise<number> => {
    answer = await ask('/health').catch(() => answer);
    return answer.status;
  };
  await expect.poll(current, { interval: 20 }).toBe(status);
  return answer.body;
}

beforeAll(async () => {
  port = await freePort();
  hatchet = Hatchet.init({
    token: fixture.engine.token,
    logger: () => quiet,
    healthcheck: { enabled: true, port, bindAddress: '127.0.0.1', eventLoopBlockThresholdSeconds: 0.5 },
  });
});

describe('the health port of a worker', () => {
  it('says how its workers are: there, blocked, away, gone', async () => {
    const block = hatchet.task({
      name: 'block',
      fn: () => {
        const end = performance.now() + 1_500;
        while (performance.now() < end); // as a task does that computes for long
        return { done: true };
      },
    });
    const worker = await hatchet.worker('first', {
      workflows: [block],
      slots: 7,
      labels: { zone: 'a' },
      handleKill: false,
    });
    const second = await hatchet.worker('second "b"', { workflows: [block], handleKill: false });
    const ends = [worker.start(), second.start()];
    await Promise.all([worker.waitUntilReady(), second.waitUntilReady()]);

    expect(JSON.parse(await until(200))).toMatchObject({
      status: 'HEALTHY',
      name: 'first',
      slots: 7,
      actions: ['block:block'],
      labels: { zone: 'a' },
      nodeVersion: process.version,
      workers: [{ name: 'first', status: 'HEALTHY' }, { name: 'second "b"' }],
    });
    expect(await ask('/readyz')).toEqual({ status: 200, body: 'ok' });
    expect(await ask('/livez')).toEqual({ status: 200, body: 'ok' });
    const { body } = await ask('/metrics');
    for (const line of [
      'hatchet_worker_status{worker="first"} 1',
      'hatchet_worker_slots{worker="second \\"b\\""} 100',
      'hatchet_worker_actions{worker="first"} 1',
      '# TYPE hatchet_worker_running_tasks gauge',
    ])
      expect(body).toContain(line);
    expect(await ask('/other')).toMatchObject({ status: 404 });

    // From another thread: this one is what is blocked.
    const asker = new Thread(
      `const { parentPort } = require('node:worker_threads');
       (async () => { for (let seen = 0; seen !== 503; ) { const { status } = await fetch('http://127.0.0.1:${port}/livez'); seen = status; } const answer = await fetch('http://127.0.0.1:${port}/health'); parentPort.postMessage({ status: answer.status, body: await answer.text() }); })();`,
      { eval: true },
    );
    const heard = new Promise<{ status: number; body: string }>((resolve) => void asker.once('message', resolve));
    await block.run({});
    const blocked = await heard;
    expect(blocked.status).toBe(503);
    expect(JSON.parse(blocked.body)).toMatchObject({ status: 'UNHEALTHY', reason: 'the event loop is blocked' });
    await asker.terminate();
    await until(200);

    await fixture.engine.stop();
    expect(JSON.parse(await until(503))).toMatchObject({ status: 'UNHEALTHY', reason: 'the engine is away' });
    expect(await ask('/livez')).toMatchObject({ status: 200 });
    await fixture.startAgain();
    await until(200);

    await worker.stop();
    expect(JSON.parse(await until(200))).toMatchObject({ name: 'second "b"', workers: [{}] });
    await second.stop();
    await Promise.all(ends);
    await expect(ask('/health')).rejects.toThrow();
  });
});
