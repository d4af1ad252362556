import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createTestEngine } from 'hatchet-ts/testing';

// A real engine with an empty database. The worker finds it by its environment, which the engine has set.
const engine = await createTestEngine({ timeout: '30s' });
const worker = spawn(join('.venv', 'bin', 'python'), ['-u', 'src/worker.py'], { stdio: ['ignore', 'ignore', 'inherit'] });
const ended = once(worker, 'exit');
after(async () => {
  worker.kill('SIGTERM');
  await ended;
  await engine.stop();
});

async function serving() {
  while (((await engine.hatchet.workers.list()).rows ?? []).every(({ status }) => status !== 'ACTIVE')) {
    assert.equal(worker.exitCode, null, 'the worker has ended');
    await delay(50);
  }
}

test('lowers a message', async () => {
  await serving();
  assert.deepEqual(await engine.hatchet.run('simple', { message: 'Hello, World' }), { simple: { message: 'hello, world' } });
});
