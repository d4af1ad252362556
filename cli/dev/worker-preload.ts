/**
 * Loaded into every worker that the CLI starts, before the worker's own code: ties it to the CLI's life, and has Node load
 * the project's modules as the CLI has compiled them. Threads and forks of the worker load it too, for their own modules.
 *
 * Descriptor 3 is a pipe whose other end the CLI holds. When it closes, the CLI is gone, be it by SIGKILL, and the worker
 * drains and ends. The watch runs in a thread, since a worker's own loop may be busy computing. Descriptor 4 says what to
 * run, which a worker that was started ahead waits for; on descriptor 5 it tells what it has loaded.
 */
import { read } from 'node:fs';
import { createRequire, register } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isMainThread, MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { hookCommonJs } from './modules/commonjs-hooks.ts';
import { isForeign } from './modules/is-foreign.ts';
import { LoadReport } from './modules/load-report.ts';
import type { HooksData } from './modules/loader-hooks.ts';
import { ReadManifest } from './modules/manifest.ts';
import { modulesVariable, type WorkerOrder } from './workers/worker-order.ts';

const watch = `
  const { Socket } = require('node:net');
  const drainMs = 6000;
  const pipe = new Socket({ fd: 3, readable: true, writable: false });
  const end = () => {
    try { process.kill(process.pid, 'SIGTERM'); } catch {}
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), drainMs);
  };
  pipe.on('end', end);
  pipe.on('error', end);
  pipe.resume();
`;

/** These change other packages as they are loaded, so that nothing may be loaded before a program has loaded them. */
const instruments = [
  'require-in-the-middle',
  'import-in-the-middle',
  '@opentelemetry/instrumentation',
  '@opentelemetry/sdk-node',
  '@opentelemetry/auto-instrumentations-node',
  '@sentry/node',
  'dd-trace',
  'newrelic',
  'elastic-apm-node',
];
const here = dirname(fileURLToPath(import.meta.url));

const inherited = process.env[modulesVariable];
if (isMainThread && inherited === undefined) {
  new Worker(watch, { eval: true, execArgv: [], stdin: false }).unref();
  const hooks = registerHooks();
  const { manifest, project } = await ordered();
  process.env[modulesVariable] = JSON.stringify({ manifest, project, pid: process.pid });
  await begin(hooks, { manifest, project, reports: true });
} else if (inherited !== undefined && (isMainThread || !isForeign(process.argv[1] ?? ''))) {
  // A thread of a package has no module of the project to load, and hooks cost each thread another one.
  const hooks = registerHooks();
  const { manifest, project, pid }: { manifest: string; project: string; pid: number } = JSON.parse(inherited);
  await begin(hooks, { manifest, project, reports: pid === process.pid }); // a fork has other descriptors
}

function registerHooks(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  register(pathToFileURL(resolve(here, 'modules', 'loader-hooks.js')), {
    data: { port: port2 },
    transferList: [port2],
  });
  return port1;
}

async function begin(hooks: MessagePort, start: HooksData): Promise<void> {
  const ready = new Promise((done) => hooks.once('message', done));
  hooks.postMessage(start);
  hookCommonJs(new ReadManifest(start.manifest), start.reports ? new LoadReport() : undefined);
  await ready;
  hooks.close();
}

/** Waits for the order to run something. */
async function ordered(): Promise<Extract<WorkerOrder, { type: 'run' }>> {
  let text = '';
  for (;;) {
    const end = text.indexOf('\n');
    if (end < 0) {
      text += await readSome();
      continue;
    }
    const order: WorkerOrder = JSON.parse(text.slice(0, end));
    text = text.slice(end + 1);
    if (order.type === 'run') return order;
    await warmUp();
  }
}

/** Nothing is left to be waited for once the CLI is gone; the watch ends this process. */
function readSome(): Promise<string> {
  const buffer = Buffer.alloc(64 * 1024);
  return new Promise((done) => {
    read(4, buffer, 0, buffer.length, null, (error, length) => {
      if (error === null && length > 0) done(buffer.toString('utf8', 0, length));
    });
  });
}

/** Loads the SDK ahead, where it is this package's that the program would load. It does nothing by being loaded. */
async function warmUp(): Promise<void> {
  const sdk = resolve(here, '..', '..', 'sdk', 'index.js');
  const found = finder(process.argv[1] ?? '');
  if (found('hatchet-ts') !== sdk || instruments.some((name) => found(name) !== undefined)) return;
  await import(pathToFileURL(sdk).href).catch(() => undefined); // the program says what is wrong with it once it runs
}

function finder(program: string): (name: string) => string | undefined {
  const require = createRequire(program);
  return (name) => {
    try {
      return require.resolve(name);
    } catch {
      return undefined;
    }
  };
}
