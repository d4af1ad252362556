/**
 * Loaded into every worker that the CLI starts, before the worker's own code: ties it to the CLI's life.
 * The CLI holds the other end of a pipe (descriptor 3). When the pipe closes, the CLI is gone, be it by SIGKILL, and the
 * worker drains and ends. The watch runs in a thread, since a worker's own loop may be busy computing.
 */
import { isMainThread, Worker } from 'node:worker_threads';

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

if (isMainThread) {
  const thread = new Worker(watch, { eval: true, execArgv: [], stdin: false });
  thread.unref();
}
