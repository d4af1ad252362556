import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import type { RunningEngine } from '../../engine/index.ts';
import { RunFailedError, type TaskFailure } from '../../sdk/index.ts';
import { engineFixture, type EngineFixture } from './engine-fixture.ts';
import { packageRoot } from './engine-process.ts';
import { freePort } from './free-port.ts';
import { kernelKeepsSandboxes } from './kernel-sandbox.ts';
import { patient } from './patient.ts';
import { descendants, running } from './process-tree.ts';
import { within } from './within.ts';

export const isolation = { runners: 4, ...(kernelKeepsSandboxes ? {} : { weakerSandbox: 'accept' }) };
export const levels = ['thread', 'process', 'sandbox'] as const;

export interface WorkerProgram {
  child: ChildProcess;
  startedAtMs: number;
  /** The folder for all that it writes in passing. */
  temp: string;
  output(): string;
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Ends processes for certain. */
export function destroy(pids: readonly number[]): void {
  for (const pid of running(pids)) process.kill(pid, 'SIGKILL');
}

async function ready({ output }: WorkerProgram): Promise<void> {
  await vi.waitFor(() => expect(output()).toContain('ready:'), { ...patient, interval: 20 });
}

/** An engine, and a worker of the tasks in test/fixtures/isolation; beside them a secret in the fixture's folder and a port that listens. */
class IsolationFixture {
  readonly fixture: EngineFixture<RunningEngine>;
  #worker: WorkerProgram | undefined;
  #listener: Server | undefined;
  #port = 0;

  constructor(fixture: EngineFixture<RunningEngine>) {
    this.fixture = fixture;
  }

  get worker(): WorkerProgram {
    if (this.#worker === undefined) throw new Error('the fixture has not started yet: use it in hooks and tests');
    return this.#worker;
  }

  get port(): number {
    return this.#port;
  }

  /** The program of the fixture, with a temporary folder of its own. */
  readonly startWorker = (
    options: object,
    { before = [], ownGroup = false }: { before?: readonly string[]; ownGroup?: boolean } = {},
  ): WorkerProgram => {
    const temp = mkdtempSync(join(this.fixture.folder, 'worker-'));
    const [file, ...args] = [
      ...before,
      process.execPath,
      join(packageRoot, 'test/fixtures/isolation/worker.mjs'),
      JSON.stringify(options),
    ];
    const child = spawn(file, args, {
      env: { ...process.env, HATCHET_CLIENT_TOKEN: this.fixture.token, TMPDIR: temp },
      detached: ownGroup,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
    // Not `close`: a runner that outlives it, which it must not, has its output open.
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    return {
      child,
      startedAtMs: performance.now(),
      temp,
      output: () => output,
      end: async (signal) => {
        child.kill(signal);
        return await within(ended, () => `the worker has not ended after ${signal}; it said:\n${output}`);
      },
    };
  };

  /** What the task of a run by name gave. */
  readonly run = async (task: string, input: object = {}): Promise<unknown> => {
    const output = await within(
      this.fixture.hatchet.run<object, Record<string, unknown>>(task, input),
      () => `the run of ${task} has not ended, and what is to end it has not`,
    );
    return output[task];
  };

  readonly failure = async (task: string, input: object = {}): Promise<TaskFailure | undefined> => {
    const error: unknown = await this.run(task, input).then(
      (output) => new Error(`${task} gave ${JSON.stringify(output)}`),
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof RunFailedError)) throw error;
    return error.errors[0];
  };

  readonly logOf = async (runId: string): Promise<string[]> => {
    const { rows } = await this.fixture.database.pool.query<{ message: string }>(
      'SELECT message FROM log_line WHERE task_id = $1 ORDER BY id',
      [runId],
    );
    return rows.map(({ message }) => message);
  };

  readonly logged = async (runId: string, text: string): Promise<string> => {
    let line: string | undefined;
    await expect
      .poll(async () => (line = (await this.logOf(runId)).find((one) => one.includes(text))), { interval: 20 })
      .toBeDefined();
    return line ?? '';
  };

  /** With all that it runs, whether or not that would end it. */
  destroyWorker(): void {
    if (this.#worker === undefined) return;
    const { pid = 0 } = this.#worker.child;
    destroy([...descendants(pid), pid]);
  }

  /** A worker in the place of the last, which is destroyed. Resolves once it is ready. */
  async replaceWorker(...[options, place]: Parameters<IsolationFixture['startWorker']>): Promise<WorkerProgram> {
    this.destroyWorker();
    this.#worker = this.startWorker(options, place);
    await ready(this.#worker);
    return this.#worker;
  }

  async start(): Promise<void> {
    writeFileSync(join(this.fixture.folder, 'secret'), 'the secret of another');
    this.#port = await freePort();
    this.#listener = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')).listen(
      this.#port,
      '127.0.0.1',
    );
    await this.replaceWorker({ isolation });
  }

  stop(): void {
    this.destroyWorker();
    this.#listener?.close();
  }
}

/** For the tests of the file that calls it. */
export function isolationFixture(name: string): IsolationFixture {
  const isolated = new IsolationFixture(engineFixture(name, { logLevel: 'error', workerTimeoutMs: 6_000 }));
  beforeAll(() => isolated.start());
  // What spins on takes the runners of the tests that follow, and they would fail in its place.
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await isolated.replaceWorker({ isolation });
  });
  afterAll(() => isolated.stop());
  return isolated;
}
