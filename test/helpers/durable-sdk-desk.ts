import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { Hatchet, type Worker } from '../../sdk/index.ts';
import { ended, spawnEngine, type EngineChild } from './engine-process.ts';
import { makeTempFolder } from './temp-folder.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** An engine as a process, a client of it, and workers in this one, for tests of durable tasks. */
export let engine: EngineChild;
export let hatchet: Hatchet;
export let folder: string;
const workers: { worker: Worker; running: Promise<void> }[] = [];

export async function startEngine(name: string): Promise<void> {
  folder = makeTempFolder(name);
  engine = await spawnEngine({ dataDir: join(folder, 'data'), grpcPort: 0, httpPort: 0, logLevel: 'warn' });
  hatchet = Hatchet.init({ token: engine.ready.token, logger: () => quiet });
}

export async function stopEngine(): Promise<void> {
  await Promise.all(
    workers.map(async ({ worker, running }) => {
      await worker.stop();
      await running;
    }),
  );
  hatchet.close();
  await engine.end('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
}

/** Of one that was killed: on the same ports, as a supervisor would. */
export async function restartEngine(): Promise<void> {
  const { grpc, http } = engine.ready;
  await ended(engine.child);
  engine = await spawnEngine({
    dataDir: join(folder, 'data'),
    grpcPort: grpc.port,
    httpPort: http.port,
    logLevel: 'warn',
  });
}

/** Something that code waits for, and a sign that it does. */
export function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open: () => open(), opened };
}

export async function startWorker(...args: Parameters<Hatchet['worker']>): Promise<Worker> {
  const [name, options] = args;
  const worker = await hatchet.worker(name, { handleKill: false, ...(typeof options === 'object' ? options : {}) });
  workers.push({ worker, running: worker.start() });
  await worker.waitUntilReady();
  return worker;
}

interface Entry {
  nodeId: number;
  isSatisfied: boolean;
}

async function rest<Answer>(method: 'GET' | 'POST', path: string): Promise<Answer> {
  const { apiUrl, token } = hatchet.config;
  const response = await fetch(`${apiUrl}/api/v1/stable/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
  });
  const answer: Answer = JSON.parse(await response.text());
  return answer;
}

/** Resolves once the task's log has its n-th node, unsatisfied. */
export async function waitsAt(taskId: string, node: number): Promise<void> {
  await vi.waitFor(
    async () =>
      expect(
        (await rest<Entry[]>('GET', `tenants/${hatchet.tenantId}/durable-tasks/${taskId}`)).find(
          ({ nodeId }) => nodeId === node,
        ),
      ).toMatchObject({ isSatisfied: false }),
    { timeout: 20_000, interval: 20 },
  );
}

export async function isEvicted(taskId: string): Promise<void> {
  await vi.waitFor(
    async () =>
      expect(await rest<{ isEvicted?: boolean }>('GET', `tasks/${taskId}`)).toMatchObject({ isEvicted: true }),
    { timeout: 20_000, interval: 20 },
  );
}
